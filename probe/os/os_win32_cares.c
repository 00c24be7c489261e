/* c-ares asks Windows for its DNS servers whenever a channel is made (GetAdaptersAddresses: milliseconds, and we make one for each
 * question), even if it is given others at once, as ours always is. The linker puts this in place of that function (Makefile, --wrap). */

int __wrap_ares_init_by_sysconfig(void *channel);

/** ARES_SUCCESS: the channel keeps what its options say. */
int __wrap_ares_init_by_sysconfig(void *channel)
{
	(void)channel;
	return 0;
}
