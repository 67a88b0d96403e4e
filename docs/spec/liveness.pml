/*
 * Liveness of one height: something is decided in the end, in views 0 … VIEWS - 1, however the
 * traitor and the timers behaved before the network became synchronous.
 *
 * Until `traitorsActive` falls (the global stabilisation time) timers of views below EARLY may run
 * out at any moment and the traitor's signatures are at hand. After it the traitor is silent, and
 * a timer runs out only when nothing else can happen: timeouts have grown long enough. Needs weak
 * fairness: whoever can always step does step, so what was sent arrives.
 */
#define LIVENESS
#define PRIMARIES
#define WISHES_NEEDED
#define ONLY_AGREEMENT
#ifndef EARLY
#define EARLY 1
#endif

#ifdef TRAITOR
bit traitorsActive = 1;
#else
bit traitorsActive = 0;
#endif
bit stable;
byte decided;

#include "messages.pml"
#include "properties.pml"
#include "replica.pml"

#define VOTE(v, d) \
  :: d_step { MAY_PREPARE(i, v, d) -> vote(i, PREPARE, v, d) } \
  :: d_step { MAY_COMMIT(i, v, d) -> vote(i, COMMIT, v, d) } \
  :: d_step { MAY_PROPOSE(i, v, d) -> propose(i, v, d) } \
  :: d_step { decided == 0 && COMMITTED(v, d) -> decided = d }
#define VIEW(v) VOTE(v, A) VOTE(v, B)
#define LATER_VIEW(v) VIEW(v) \
  :: d_step { MAY_ENTER(i, v) -> enter(i, v) } \
  :: d_step { MAY_RAISE(i, v) -> wishFor(i, v) }

#define EARLY_TIMER(v) \
  :: d_step { !stable && (v) <= EARLY && MAY_TIME_OUT(i, v) -> wishFor(i, v) }
#define TIMER(v) EARLY_TIMER(v) \
  :: atomic { timeout && stable && MAY_TIME_OUT(i, v) -> wishFor(i, v) }

proctype Honest(byte i) {
end:
  do
  VIEW(0)
  LATER_VIEW(1)
  LATER_VIEW(2)
  LATER_VIEW(3)
  od
}

proctype Timers(byte i) {
end:
  do
  TIMER(1)
  TIMER(2)
  TIMER(3)
  od
}

proctype Stabilisation() {
  atomic { stable = 1; traitorsActive = 0 }
}

init {
  atomic {
    run Stabilisation();
    run Honest(0); run Timers(0);
    run Honest(1); run Timers(1);
    run Honest(2); run Timers(2)
  }
}

ltl eventuallyDecided { <> (decided != 0) }
