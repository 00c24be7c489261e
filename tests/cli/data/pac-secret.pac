function FindProxyForURL(url, host)
{
	throw "http://admin:hunter2@proxy.corp:3128 is not to be had";
}
