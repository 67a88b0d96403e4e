/*
 * The consensus of one height: voting, view change, crash and recovery, searched exhaustively for
 * a state that breaks a property. See README.md for the options and for what maps to what.
 */
#include "messages.pml"
#include "properties.pml"
#include "replica.pml"

/* How many vote logs may be lost. */
#ifdef AMNESIA
byte logsLost;
#endif

/* Replicas are alike: of the states that differ only in who is who, one is kept. */
#ifdef LIAR
#define ALIKE LIAR
#else
#define ALIKE H
#endif
#if defined(PRIMARIES) || defined(PLAIN)
#define SORT skip
#else
#define SORT c_code { sortReplicas(); }
c_code {
  static void sortReplicas(void) {
    for (int i = 1; i < ALIKE; i++) {
      for (int k = i; k > 0; k--) {
        struct Replica *low = &now.replica[k - 1], *high = &now.replica[k], swap;
        if (memcmp(low, high, sizeof swap) <= 0) break;
        memcpy(&swap, low, sizeof swap);
        memcpy(low, high, sizeof swap);
        memcpy(high, &swap, sizeof swap);
      }
    }
  }
}
#endif

#define VOTE(v, d) \
  :: d_step { MAY_PREPARE(i, v, d) -> vote(i, PREPARE, v, d); SORT } \
  :: d_step { MAY_COMMIT(i, v, d) -> vote(i, COMMIT, v, d); SORT }

#ifdef PRIMARIES
#define PROPOSE(v, d) :: d_step { MAY_PROPOSE(i, v, d) -> propose(i, v, d) }
#else
#define PROPOSE(v, d)
#endif

#ifdef CRASHES
#define SEND(v) \
  :: d_step { MAY_SEND_PREPARE(i, v) -> send(i, PREPARE, v, replica[i].prepared[v]); SORT } \
  :: d_step { MAY_SEND_COMMIT(i, v) -> send(i, COMMIT, v, replica[i].committed[v]); SORT } \
  :: d_step { MAY_SEND_CHANGE(i, v) -> send(i, VIEW_CHANGE, v, replica[i].change[v]); SORT }
#else
#define SEND(v)
#endif

#ifdef WISHES_NEEDED
#define WISH(v) :: d_step { MAY_TIME_OUT(i, v) || MAY_RAISE(i, v) -> wishFor(i, v); SORT }
#else
#define WISH(v)
#endif

#define VIEW(v) VOTE(v, A) VOTE(v, B) PROPOSE(v, A) PROPOSE(v, B) SEND(v)
#define LATER_VIEW(v) VIEW(v) WISH(v) :: d_step { MAY_ENTER(i, v) -> enter(i, v); SORT }

proctype Honest(byte i) {
end:
  do
  VIEW(0)
  LATER_VIEW(1)
#if VIEWS > 2
  LATER_VIEW(2)
#endif
#if VIEWS > 3
  LATER_VIEW(3)
#endif
#ifdef CRASHES
  :: d_step { replica[i].pendingKind != 0 -> sync(i); SORT }
  :: d_step { replica[i].pendingKind != 0 -> crash(i); SORT }
#elif defined(RESTARTS)
  :: d_step { crash(i); SORT }
#endif
#ifdef AMNESIA
  :: d_step { logsLost < AMNESIA && !replica[i].abstains -> logsLost++; loseLog(i); SORT }
#endif
  od
}

/*
 * A validator that signs whatever it likes, one message after the other, until two of them convict
 * it. It is the last of the replicas. The Byzantine validators beside it sign everything at once.
 */
#ifdef LIAR
#define CHANGE_TO(v, claim) \
  :: d_step { INNOCENT(LIAR, 0) && !CHANGES(LIAR, v, 1 << claim) -> send(LIAR, VIEW_CHANGE, v, claim) }
#define VOTE_FOR(v, d) \
  :: d_step { INNOCENT(LIAR, 0) && !PREPARES(LIAR, v, d) -> send(LIAR, PREPARE, v, d); SORT } \
  :: d_step { INNOCENT(LIAR, 0) && !COMMITS(LIAR, v, d) -> send(LIAR, COMMIT, v, d); SORT }

proctype Liar() {
  replica[LIAR].faulty = 1;
end:
  do
  VOTE_FOR(0, A) VOTE_FOR(0, B)
  VOTE_FOR(1, A) VOTE_FOR(1, B)
  CHANGE_TO(1, NOTHING) CHANGE_TO(1, CLAIM(0, A)) CHANGE_TO(1, CLAIM(0, B))
#if VIEWS > 2
  VOTE_FOR(2, A) VOTE_FOR(2, B)
  CHANGE_TO(2, NOTHING) CHANGE_TO(2, CLAIM(0, A)) CHANGE_TO(2, CLAIM(0, B))
  CHANGE_TO(2, CLAIM(1, A)) CHANGE_TO(2, CLAIM(1, B))
#endif
  od
}
#endif

init {
  atomic {
    run Honest(0); run Honest(1);
#ifdef LIAR
    run Liar();
#elif H > 2
    run Honest(2);
#endif
#if H > 3
    run Honest(3);
#endif
#if H > 4
    run Honest(4);
#endif
  }
}
