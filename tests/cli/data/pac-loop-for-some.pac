function FindProxyForURL(url, host) {
	while (dnsDomainIs(host, ".loop.example")) { }
	return "PROXY good.corp:80";
}
