/*
 * The validators change between two heights. Height 1 is decided by V1; block A of it makes V2 of
 * V1, block B changes nothing. Height 2 has two views. Its voters act upon the list that follows
 * from height 1, but for one, whom nothing told: MISLED has lost or altered state and goes by V1.
 *
 *              index  0 1 2 3 4 5
 *     V1 (n=4, q=3)   0 1 2 3          2 is removed, 3 has another index in V2,
 *     V2 (n=6, q=4)   0 1 3 4 5 6      4, 5 and 6 were added. 3 is Byzantine.
 *
 * What is signed names height, view, digest, the index of the sender and, unless sabotaged, the list.
 */
#define A 1
#define B 2
#define V1 1
#define V2 2
#define TRAITOR 3
#define NOBODY  9
#ifndef MISLED
#define MISLED NOBODY
#endif

#define QUORUM(list) ((list) == V1 -> 3 : 4)

/* What a validator of that key sent at height 2: sets of digests by view, its VIEW-CHANGE. */
typedef Voter {
  byte prepared[2];
  byte committed[2];
  bit left;         /* entered view 1 */
  byte claim;       /* digest of the lock in view 0, or 0 */
}
Voter voter[7];

byte first[3]; /* COMMITs of height 1 */
byte change;   /* block decided at height 1 */

#define MEMBER(k, list) ((list) == V1 -> (k) < 4 : (k) != 2)
#define INDEX(k, list)  ((list) == V2 && (k) > 2 -> (k) - 1 : (k))

/* The list that k acts upon at height 2. */
#define BELIEF(k) (change == A && (k) != MISLED -> V2 : V1)

/* A signature of k verifies under `list`: k has a key there, at the index that it signed. */
#ifdef SABOTAGE_LIST_UNSIGNED
#define SAME_LIST(k, list) true
#else
#define SAME_LIST(k, list) (BELIEF(k) == (list))
#endif
#define VERIFIES(k, list) \
  (MEMBER(k, list) && MEMBER(k, BELIEF(k)) && SAME_LIST(k, list) && \
   INDEX(k, BELIEF(k)) == INDEX(k, list))

/* Signers that count under `list`; the traitor signs everything, for every list it is in. */
#define COUNT(F, list, v, d) (1 + \
  (VERIFIES(0, list) && F(0, v, d)) + (VERIFIES(1, list) && F(1, v, d)) + \
  (VERIFIES(2, list) && F(2, v, d)) + (VERIFIES(4, list) && F(4, v, d)) + \
  (VERIFIES(5, list) && F(5, v, d)) + (VERIFIES(6, list) && F(6, v, d)))

#define PREPARES(k, v, d) ((voter[k].prepared[v] & (d)) != 0)
#define COMMITS(k, v, d)  ((voter[k].committed[v] & (d)) != 0)
#define CLAIMS(k, v, d)   (voter[k].left && voter[k].claim == (d))
#define CHANGES(k, v, d)  (CLAIMS(k, v, 0) || CLAIMS(k, v, d))

#define PREPARED(list, v, d)  (COUNT(PREPARES, list, v, d) >= QUORUM(list))
#define COMMITTED(list, v, d) (COUNT(COMMITS, list, v, d) >= QUORUM(list))

/* q VIEW-CHANGEs say that nothing was prepared, or that d was, with its certificate. */
#define FRESH(list)         (COUNT(CLAIMS, list, 1, 0) >= QUORUM(list))
#define REPROPOSED(list, d) (PREPARED(list, 0, d) && COUNT(CHANGES, list, 1, d) >= QUORUM(list))
#define JUSTIFIED(list, v, d) ((v) == 0 || FRESH(list) || REPROPOSED(list, d))

/* STEERED: view 0 proposes A, view 1 B. Fewer runs, for a counterexample only. */
#ifdef STEERED
#define PROPOSAL(v, d) ((v) + 1 == (d))
#else
#define PROPOSAL(v, d) true
#endif

#define MAY_PREPARE(k, v, d) (voter[k].left == (v) && voter[k].prepared[v] == 0 && \
  PROPOSAL(v, d) && JUSTIFIED(BELIEF(k), v, d))
#define MAY_COMMIT(k, v, d) (voter[k].left == (v) && voter[k].committed[v] == 0 && \
  PREPARED(BELIEF(k), v, d))

#define DECIDED(list, d) (COMMITTED(list, 0, d) || COMMITTED(list, 1, d))
#define SHOWN(d)         (DECIDED(V1, d) || DECIDED(V2, d))
#define VOTES(k) (PREPARES(k, 0, A + B) || PREPARES(k, 1, A + B) || voter[k].left)

/* A vote that was cast under one list counts under no other. */
#define BOUND(k) (!VOTES(k) || (!VERIFIES(k, V1) || BELIEF(k) == V1) && \
  (!VERIFIES(k, V2) || BELIEF(k) == V2))

inline check() {
#ifndef ONLY_AGREEMENT
  assert(BOUND(0) && BOUND(1) && BOUND(2) && BOUND(4) && BOUND(5) && BOUND(6));
#endif
  assert(!(SHOWN(A) && SHOWN(B)));
#ifdef REACH_CHANGED
  assert(!(change == A && COMMITTED(V2, 1, B) && PREPARES(MISLED, 0, A)));
#endif
  skip
}

/* 4, 5 and 6 are alike: of the states that differ only in who is who, one is kept. */
c_code {
  static void sortNew(void) {
    for (int i = 5; i < 7; i++) {
      for (int k = i; k > 4; k--) {
        struct Voter *low = &now.voter[k - 1], *high = &now.voter[k], swap;
        if (memcmp(low, high, sizeof swap) <= 0) break;
        memcpy(&swap, low, sizeof swap);
        memcpy(low, high, sizeof swap);
        memcpy(high, &swap, sizeof swap);
      }
    }
  }
}
#define SORT c_code { sortNew(); }

#define VOTE(v, d) \
  :: d_step { MAY_PREPARE(k, v, d) -> \
       printf("validator %d of V%d sends PREPARE(view %d, %c)\n", k, BELIEF(k), v, 64 + d); \
       voter[k].prepared[v] = d; check(); SORT } \
  :: d_step { MAY_COMMIT(k, v, d) -> \
       printf("validator %d of V%d sends COMMIT(view %d, %c)\n", k, BELIEF(k), v, 64 + d); \
       voter[k].committed[v] = d; check(); SORT }

proctype Honest(byte k) {
end_absent:
  change != 0 && MEMBER(k, BELIEF(k));
end:
  do
  VOTE(0, A) VOTE(0, B) VOTE(1, A) VOTE(1, B)
  :: d_step { !voter[k].left ->
       voter[k].claim = voter[k].committed[0];
       voter[k].left = 1;
       printf("validator %d of V%d sends VIEW-CHANGE(view 1, lock %d)\n", k, BELIEF(k), voter[k].claim);
       check(); SORT }
  od
}

/* Height 1, one view of it: three honest votes and the traitor's. */
#define FIRST(d) (1 + (first[0] == d) + (first[1] == d) + (first[2] == d) >= QUORUM(V1))
proctype Height1() {
  byte k;
end:
  do
  :: d_step { k < 3 -> first[k] = A; k++ }
  :: d_step { k < 3 -> first[k] = B; k++ }
  :: d_step { change == 0 && FIRST(A) -> change = A; printf("height 1 makes V2\n") }
  :: d_step { change == 0 && FIRST(B) -> change = B; printf("height 1 keeps V1\n") }
  :: d_step { change != 0 && k == 3 ->
       assert(!(FIRST(A) && FIRST(B)));
       first[0] = 0; first[1] = 0; first[2] = 0; k = 4 }
  od
}

init {
  atomic {
    run Height1();
    run Honest(0); run Honest(1); run Honest(2);
    run Honest(4); run Honest(5); run Honest(6);
  }
}
