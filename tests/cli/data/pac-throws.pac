function FindProxyForURL(url, host) {
	alert("asked for " + host);
	return noSuchFunction(host);
}
