// Of its result only so much is shown that the last password is cut in the middle.
function FindProxyForURL(url, host)
{
	var user = "";
	while (user.length < 999) {
		user += "u";
	}
	return "PROXY proxy.corp:1;" + user + ":hunter2@proxy.corp:3128";
}
