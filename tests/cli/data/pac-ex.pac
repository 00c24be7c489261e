// Both entry points: Windows calls the Ex one.
function FindProxyForURL(url, host) {
	return "PROXY old.corp:1";
}
function FindProxyForURLEx(url, host) {
	if (dnsDomainIs(host, ".windows.net"))
		return "DIRECT";
	if (isInNet("10.1.2.3", "10.0.0.0", "255.0.0.0"))
		return "PROXY Proxy-A.Corp:8080; SOCKS b.corp; DIRECT";
	return "DIRECT";
}
