#ifndef MARSPROBE_ENGINE_DNS_EXPERIMENTS_H
#define MARSPROBE_ENGINE_DNS_EXPERIMENTS_H

#include "probe/core/evidence.h"

struct run;
struct trial;

/** The run begins: be ready, unless it is one without experiments. */
void dns_experiments_start(struct run *run);

/**
 * A look-up, or the trial of an address, has ended: begin what dns_contrasts_of_addresses() wants, now and when patience is over.
 *
 * Records  each as an observation of its own, for the paths of the name that it is about. run->dns_experiments_open counts those under way.
 * Limits   a second for a question, 1.4 seconds for a connection.
 */
void dns_experiments_note_name(struct run *run);
void dns_experiments_note_trial(struct trial *trial);

/** Cut what is under way short. */
void dns_experiments_cut(struct run *run, enum failure failure);

#endif
