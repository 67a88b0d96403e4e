/*
 * What an honest replica may do: for each action a guard MAY_… and its effect. A replica's
 * volatile state follows from its vote log and from the wire, so a crash loses what was written
 * and not synced, and nothing else; a restart needs no step.
 */

#define FREE(i) (!replica[i].abstains && replica[i].pendingKind == 0)

/* PREPARE: once a view, for a proposal of the current view that is justified. */
#define MAY_PREPARE(i, v, d) \
  (FREE(i) && replica[i].view == (v) && replica[i].prepared[v] == 0 && \
   PROPOSAL(v, d) && ENDORSED(v, d) && ACCEPTS(i, d))

/* An honest primary's proposal carries the justification, also after the traitors fell silent. */
#ifdef LIVENESS
#define ENDORSED(v, d) ((proposed[v] & (d)) != 0 || JUSTIFIED(v, d))
#else
#define ENDORSED(v, d) JUSTIFIED(v, d)
#endif

#ifdef SABOTAGE_REFUSE_CONFLICT
#define LOCKED_IN(i, v, otherwise) (replica[i].committed[v] != 0 -> replica[i].committed[v] : otherwise)
#define LOCKED(i)     LOCKED_IN(i, 2, (LOCKED_IN(i, 1, (replica[i].committed[0]))))
#define ACCEPTS(i, d) (LOCKED(i) == 0 || LOCKED(i) == (d))
#else
#define ACCEPTS(i, d) true
#endif

/* COMMIT: once a view, on a prepared certificate of the current view, and never in one left. */
#ifdef SABOTAGE_COMMIT_IN_OLD_VIEW
#define IN_VIEW(i, v) (replica[i].view >= (v))
#else
#define IN_VIEW(i, v) (replica[i].view == (v))
#endif
#ifdef SABOTAGE_SKIP_PREPARE
#define READY_TO_COMMIT(i, v, d) (replica[i].prepared[v] == (d))
#else
#define READY_TO_COMMIT(i, v, d) PREPARED(v, d)
#endif
#define MAY_COMMIT(i, v, d) \
  (FREE(i) && IN_VIEW(i, v) && replica[i].committed[v] == 0 && READY_TO_COMMIT(i, v, d))

/* Enters view v: with WISHES only when q validators wish for it, or a justified proposal shows it. */
#ifdef SABOTAGE_ALONE
#define MAY_FOLLOW(i, v) (replica[i].wish >= (v))
#else
#define MAY_FOLLOW(i, v) (OVER(WISHES, v, 0) + TRAITORS >= Q || \
  PROPOSAL(v, A) && ENDORSED(v, A) || PROPOSAL(v, B) && ENDORSED(v, B))
#endif
#ifdef WISHES_NEEDED
#define MAY_ENTER(i, v) (FREE(i) && replica[i].view < (v) && MAY_FOLLOW(i, v))
#else
#define MAY_ENTER(i, v) (FREE(i) && replica[i].view < (v))
#endif

/* The timer of the view before v ran out. */
#define MAY_TIME_OUT(i, v) \
  (!replica[i].abstains && replica[i].view + 1 == (v) && replica[i].wish < (v))

/* f + 1 validators wish for v. */
#define HONEST_ONE ((N - 1) / 3 + 1)
#define MAY_RAISE(i, v) (!replica[i].abstains && replica[i].wish < (v) && \
  OVER(WISHES, v, 0) + TRAITORS >= HONEST_ONE)

/* The primary of v proposes d. */
#define MAY_PROPOSE(i, v, d) (FREE(i) && PRIMARY(v) == (i) && replica[i].view == (v) && \
  proposed[v] == 0 && JUSTIFIED(v, d))

/* Something durable is not on the wire yet. */
#define MAY_SEND_PREPARE(i, v) ((replica[i].prepared[v] & ~replica[i].sentPrepare[v]) != 0)
#define MAY_SEND_COMMIT(i, v)  ((replica[i].committed[v] & ~replica[i].sentCommit[v]) != 0)
#define MAY_SEND_CHANGE(i, v)  (0 < (v) && replica[i].view >= (v) && \
  ((1 << replica[i].change[v]) & ~replica[i].sentChange[v]) != 0)

/* What the VIEW-CHANGE names: the certificate of the highest view with a COMMIT of our own. */
inline findLock(i) {
  lock = NOTHING;
  v0 = 0;
  do
  :: v0 < VIEWS ->
    if
    :: replica[i].committed[v0] != 0 -> lock = CLAIM(v0, replica[i].committed[v0])
    :: else
    fi;
    v0++
  :: else -> break
  od;
  v0 = 0
}
/* Zero between steps. */
byte lock;
byte v0;

/* Appends a record to the vote log. */
inline write(i, kind, v, value) {
  if
  :: kind == PREPARE -> replica[i].prepared[v] = value
  :: kind == COMMIT -> replica[i].committed[v] = value
  :: kind == VIEW_CHANGE -> replica[i].view = v; replica[i].change[v] = value
  fi
}

/* Signs a vote and puts it on the wire. */
inline send(i, kind, v, value) {
  if
  :: kind == PREPARE ->
    printf("replica %d sends PREPARE(view %d, %c)\n", i, v, 64 + value);
    replica[i].sentPrepare[v] = replica[i].sentPrepare[v] | (value)
  :: kind == COMMIT ->
    printf("replica %d sends COMMIT(view %d, %c)\n", i, v, 64 + value);
    replica[i].sentCommit[v] = replica[i].sentCommit[v] | (value)
  :: kind == VIEW_CHANGE && value == NOTHING ->
    printf("replica %d sends VIEW-CHANGE(view %d, nothing prepared)\n", i, v);
    replica[i].sentChange[v] = replica[i].sentChange[v] | 1
  :: kind == VIEW_CHANGE && value != NOTHING ->
    printf("replica %d sends VIEW-CHANGE(view %d, %c prepared in view %d)\n", i, v,
      65 + (value - 1) % 2, (value - 1) / 2);
    replica[i].sentChange[v] = replica[i].sentChange[v] | (1 << (value))
  fi;
  check()
}

/*
 * A vote. With CRASHES record, sync and send are steps of their own, and a crash may come between
 * any two of them. Without, they are one step: unsent equals undelivered on a network of sets.
 */
inline vote(i, kind, v, value) {
#if defined(CRASHES)
  replica[i].pendingKind = kind;
  replica[i].pendingView = v;
  replica[i].pendingValue = value;
#ifdef SABOTAGE_SEND_BEFORE_PERSIST
  send(i, kind, v, value)
#endif
#else
  write(i, kind, v, value);
  send(i, kind, v, value)
#endif
}

inline sync(i) {
  printf("replica %d syncs its vote log\n", i);
  write(i, replica[i].pendingKind, replica[i].pendingView, replica[i].pendingValue);
  forgetPending(i)
}

inline forgetPending(i) {
  replica[i].pendingKind = 0;
  replica[i].pendingView = 0;
  replica[i].pendingValue = 0
}

inline propose(i, v, d) {
  printf("replica %d proposes %c in view %d\n", i, 64 + d, v);
  proposed[v] = d
}

inline wishFor(i, v) {
  printf("replica %d wishes for view %d\n", i, v);
  replica[i].wish = v
}

inline enter(i, v) {
  findLock(i);
  if
  :: replica[i].wish < v -> replica[i].wish = v
  :: else
  fi;
  vote(i, VIEW_CHANGE, v, lock);
  lock = 0
}

/* Power goes. The vote log stays, but for what a sabotaged variant keeps in memory only. */
inline crash(i) {
  printf("replica %d crashes\n", i);
#ifdef REACH_OTHER_VOTE_AFTER_CRASH
  if
  :: i == 0 && replica[i].pendingKind == PREPARE && replica[i].pendingView == 0 ->
    lostPrepare = replica[i].pendingValue
  :: else
  fi;
#endif
  forgetPending(i);
#ifdef SABOTAGE_VOLATILE_VOTES
  forgetPrepared(i);
  forgetCommitted(i);
#endif
#ifdef SABOTAGE_VOLATILE_LOCK
  forgetCommitted(i);
#endif
#ifdef SABOTAGE_VOLATILE_VIEW
  replica[i].view = 0;
#endif
  skip
}

inline forgetPrepared(i) {
  v0 = 0;
  do
  :: v0 < VIEWS -> replica[i].prepared[v0] = 0; v0++
  :: else -> break
  od;
  v0 = 0
}

inline forgetCommitted(i) {
#ifdef ACCOUNTABLE
  replica[i].faulty = 1;
#endif
  v0 = 0;
  do
  :: v0 < VIEWS -> replica[i].committed[v0] = 0; replica[i].change[v0] = 0; v0++
  :: else -> break
  od;
  v0 = 0
}

/* The vote log is lost. Whoever notices abstains for the rest of the height. */
inline loseLog(i) {
  printf("replica %d loses its vote log\n", i);
  forgetPending(i);
  forgetPrepared(i);
  forgetCommitted(i);
  replica[i].view = 0;
#ifndef SABOTAGE_NO_ABSTENTION
  replica[i].abstains = 1
#endif
}
