function FindProxyForURL(url, host) {
	dnsDomainIs(host, "\u001b[2J\u202e");
	return "PROXY \u001b[2Jevil:1; PROXY good.corp:80";
}
