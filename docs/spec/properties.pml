/* What must hold in every state; checked after every vote that reaches the wire. */

#if VIEWS == 2
#define SOME_VIEW(F, d) (F(0, d) || F(1, d))
#define FROM_VIEW(F, v, d) ((v) <= 0 && F(0, d) || (v) <= 1 && F(1, d))
#elif VIEWS == 3
#define SOME_VIEW(F, d) (F(0, d) || F(1, d) || F(2, d))
#define FROM_VIEW(F, v, d) ((v) <= 0 && F(0, d) || (v) <= 1 && F(1, d) || F(2, d))
#elif VIEWS == 4
#define SOME_VIEW(F, d) (F(0, d) || F(1, d) || F(2, d) || F(3, d))
#define FROM_VIEW(F, v, d) \
  ((v) <= 0 && F(0, d) || (v) <= 1 && F(1, d) || (v) <= 2 && F(2, d) || F(3, d))
#endif

/* One block is decided. */
#define AGREEMENT (!(SOME_VIEW(COMMITTED, A) && SOME_VIEW(COMMITTED, B)))

/* L1: one digest of a view can be shown prepared. */
#define L1(v) (!(PREPARED(v, A) && PREPARED(v, B)))

/* L2: after a commit certificate of view v, every prepared certificate from v on is for its block. */
#define L2(v) \
  (!(COMMITTED(v, A) && FROM_VIEW(PREPARED, v, B)) && \
   !(COMMITTED(v, B) && FROM_VIEW(PREPARED, v, A)))

/* At most one digest, or claim, of replica i is on the wire per kind and view, across crashes. */
#define SINGLE(set) (((set) & ((set) - 1)) == 0)
#define NO_DOUBLE_VOTE(i, v) \
  (SINGLE(replica[i].sentPrepare[v]) && SINGLE(replica[i].sentCommit[v]) && \
   SINGLE(replica[i].sentChange[v]))

/* A COMMIT of an honest replica stands on a certificate that anybody can be shown. */
#define CERT_VALID(i, v) \
  ((!COMMITS(i, v, A) || PREPARED(v, A)) && (!COMMITS(i, v, B) || PREPARED(v, B)))

/* Nobody has entered a view that q validators did not wish for. */
#define SYNCHRONISED(i, none) \
  (replica[i].view == 0 || OVER(WISHES, replica[i].view, 0) + TRAITORS >= Q)

/*
 * Two messages of replica i exclude each other: two votes of a view, or a COMMIT of view v and a
 * VIEW-CHANGE of a later view w that claims less.
 */
#ifdef SABOTAGE_NO_AMNESIA_PAIR
#define DENIES(i, v, w) false
#else
#define DENIES(i, v, w) (replica[i].sentCommit[v] != 0 && CHANGES(i, w, CLAIMS_BELOW(v)))
#endif
#if VIEWS == 2
#define CONVICTED(i) \
  (!NO_DOUBLE_VOTE(i, 0) || !NO_DOUBLE_VOTE(i, 1) || DENIES(i, 0, 1))
#elif VIEWS == 3
#define CONVICTED(i) \
  (!NO_DOUBLE_VOTE(i, 0) || !NO_DOUBLE_VOTE(i, 1) || !NO_DOUBLE_VOTE(i, 2) || \
   DENIES(i, 0, 1) || DENIES(i, 0, 2) || DENIES(i, 1, 2))
#elif VIEWS == 4
#define CONVICTED(i) \
  (!NO_DOUBLE_VOTE(i, 0) || !NO_DOUBLE_VOTE(i, 1) || !NO_DOUBLE_VOTE(i, 2) || \
   !NO_DOUBLE_VOTE(i, 3) || DENIES(i, 0, 1) || DENIES(i, 0, 2) || DENIES(i, 0, 3) || \
   DENIES(i, 1, 2) || DENIES(i, 1, 3) || DENIES(i, 2, 3))
#endif

/* No honest validator is ever convicted. */
#define INNOCENT(i, none) (!CONVICTED(i))

/* ACCOUNTABLE: whoever is convicted broke a rule, and of a broken agreement somebody is convicted. */
#define RIGHTLY(i, none) (!CONVICTED(i) || replica[i].faulty)

/*
 * States that a model which means something must reach: REACH_… makes reaching them an error, so
 * that the search shows how.
 */
#define LEFT_VIEW(i, v) (replica[i].view > (v))
#ifdef REACH_VIEW_2_DECIDES
#define REACH COMMITTED(2, A)
#elif defined(REACH_REPROPOSAL)
#define REACH PREPARES(0, 1, A) && REPROPOSED(1, A) && !FRESH(1)
#elif defined(REACH_LOCK_OVERRIDDEN)
#define REACH COMMITS(0, 0, A) && COMMITTED(1, B)
#elif defined(REACH_DECIDED_IN_VIEW_LEFT)
#define REACH COMMITTED(0, A) && EVERY(LEFT_VIEW, 0)
#elif defined(REACH_UNSENT_IN_VIEW_LEFT)
#define REACH replica[0].committed[0] == A && !COMMITS(0, 0, A) && CHANGES(0, 1, ALL_CLAIMS)
#elif defined(REACH_OTHER_VOTE_AFTER_CRASH)
byte lostPrepare; /* What replica 0 had written of a PREPARE when it crashed. */
#define REACH lostPrepare == A && PREPARES(0, 0, B)
#elif defined(REACH_CONVICTED)
#define REACH !AGREEMENT && CONVICTED(LIAR)
#elif defined(REACH_DECIDED_AFTER_LOSS)
#define REACH replica[0].abstains && COMMITS(0, 0, A) && COMMITTED(1, A)
#endif

/* ONLY_AGREEMENT: for variants that are to break the property that the others serve. */
inline checkView(v) {
#ifndef ONLY_AGREEMENT
  assert(L1(v));
  assert(L2(v));
  assert(EVERY(NO_DOUBLE_VOTE, v));
  assert(EVERY(CERT_VALID, v));
#endif
  skip
}

inline check() {
  checkView(0);
  checkView(1);
#if VIEWS > 2
  checkView(2);
#endif
#if VIEWS > 3
  checkView(3);
#endif
#if defined(WISHES_NEEDED) && !defined(ONLY_AGREEMENT)
  assert(EVERY(SYNCHRONISED, 0));
#endif
#ifndef ONLY_AGREEMENT
  assert(EVERY(INNOCENT, 0));
#endif
#ifdef ACCOUNTABLE
  assert(EVERY(RIGHTLY, 0));
  assert(AGREEMENT || !EVERY(INNOCENT, 0));
#else
  assert(AGREEMENT);
#endif
#ifdef REACH
  assert(!(REACH));
#endif
  skip
}
