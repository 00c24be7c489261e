#ifndef MARSPROBE_ENGINE_WALK_PROBE_H
#define MARSPROBE_ENGINE_WALK_PROBE_H

/* One TTL of a walk: its packet, its socket, and what the answer means. For walk.c alone. */

#include <stdbool.h>

#include "probe/engine/blocking.h"
#include "probe/engine/sockets.h"
#include "probe/engine/walk.h"

struct walk_probe;
struct walk_socket;

/** What all probes of a walk have in common; the walk's. */
struct walk_way {
	uv_loop_t *loop;
	struct arena *arena;
	int64_t run_started_us;
	struct walk_spec spec;
	bool ipv6;
	const char *dst; /* spec.address as systems write it; a text that is no literal gets nowhere */
	int base_port;	 /* of this flow: TTL n sends from base_port + n, if that port is free */
	void (*over)(struct walk_probe *probe,
		     void *user); /* it was answered, or this system did not send it; not for silence */
	void *user;
};

struct walk_probe {
	const struct walk_way *way;
	struct observation *seen; /* failure NONE means nothing until over */
	int packets;		  /* that were sent for it */
	int64_t first_us;	  /* when it was sent first; seen->start_us is the last time */
	bool over;
	bool reached;		    /* over: the far end, or who spoke for it, has answered */
	bool refused_here;	    /* over: this system did not send it */
	bool hello_is_sent;	    /* WALK_HELLO: the connection stands, and the limited bytes are on their way */
	struct walk_socket *socket; /* NULL: none is open */
	struct blocking *call;	    /* an echo request by the system's call; or NULL */
};

/** Send the packet, or send it again from the same port; may be over at once (over() is called). */
void walk_probe_send(struct walk_probe *probe, int64_t patience_us);

/** Wait no longer: the probe ends with that failure, unless an answer waits at its socket (then over() is called). */
void walk_probe_end(struct walk_probe *probe, enum failure failure);

#endif
