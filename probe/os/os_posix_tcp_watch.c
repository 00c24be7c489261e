/* Copies of incoming TCP packets: raw(7), packet filter as in the kernel's Documentation/networking/filter.rst. */

#include "probe/os/os_tcp_watch.h"

#include <arpa/inet.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEAD_BYTES = 128, READS_MAX = 64, SYN_OR_RST = 2 | 4, TCP_FLAGS = 13 };

static bool filter_attach(int fd, bool ipv6)
{
	/* X: where the TCP header begins; an IPv6 socket's packets begin with it */
	struct sock_filter v4_header = BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, 0);
	struct sock_filter v6_header = BPF_STMT(BPF_LDX | BPF_W | BPF_IMM, 0);
	struct sock_filter rules[] = {
		ipv6 ? v6_header : v4_header,
		BPF_STMT(BPF_LD | BPF_B | BPF_IND, TCP_FLAGS),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, SYN_OR_RST, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, HEAD_BYTES),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = {.len = sizeof(rules) / sizeof(rules[0]), .filter = rules};
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0;
}

static int watch_open(bool ipv6)
{
	int on = 1, fd = socket(ipv6 ? AF_INET6 : AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
	if (fd < 0)
		return -1;
	if (filter_attach(fd, ipv6) && (!ipv6 || setsockopt(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof(on)) == 0))
		return fd;
	close(fd);
	return -1;
}

size_t os_tcp_watch_open(os_socket fds[OS_TCP_WATCHES_MAX])
{
	size_t count = 0;
	for (int ipv6 = 0; ipv6 < 2; ipv6++) {
		int fd = watch_open(ipv6);
		if (fd >= 0)
			fds[count++] = fd;
	}
	return count;
}

/* The IPv6 header stays with the kernel: the sender's address and the hop limit come beside the packet. */
static bool read_v6(struct msghdr *message, const uint8_t *bytes, size_t length, struct os_tcp_packet *out)
{
	const struct sockaddr_in6 *from = message->msg_name;
	bool has_limit = false;
	for (struct cmsghdr *at = CMSG_FIRSTHDR(message); at; at = CMSG_NXTHDR(message, at)) {
		if (at->cmsg_level != IPPROTO_IPV6 || at->cmsg_type != IPV6_HOPLIMIT ||
		    at->cmsg_len < CMSG_LEN(sizeof(out->ttl)))
			continue;
		memcpy(&out->ttl, CMSG_DATA(at), sizeof(out->ttl));
		has_limit = true;
	}
	return has_limit && inet_ntop(AF_INET6, &from->sin6_addr, out->from, sizeof(out->from)) &&
	       os_tcp_header_read(bytes, length, out);
}

bool os_tcp_watch_next(os_socket fd, struct os_tcp_packet *out)
{
	union {
		char bytes[64];
		struct cmsghdr aligned;
	} control;
	for (int reads = 0; reads < READS_MAX; reads++) {
		uint8_t bytes[HEAD_BYTES];
		struct sockaddr_in6 from = {0};
		struct iovec data = {bytes, sizeof(bytes)};
		struct msghdr message = {.msg_iov = &data,
					 .msg_iovlen = 1,
					 .msg_name = &from,
					 .msg_namelen = sizeof(from),
					 .msg_control = &control,
					 .msg_controllen = sizeof(control)};
		ssize_t got = recvmsg((int)fd, &message, 0);
		if (got < 0)
			return false;
		memset(out, 0, sizeof(*out));
		if (from.sin6_family == AF_INET6 ? read_v6(&message, bytes, (size_t)got, out)
						 : os_tcp_packet_read(bytes, (size_t)got, out))
			return true;
	}
	return false;
}
