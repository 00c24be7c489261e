function FindProxyForURL(url, host) {
	for (var text = "0123456789", all = []; true; text += text)
		all.push(text + all.length);
}
