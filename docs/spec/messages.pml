/*
 * What is on the wire, and what it proves.
 *
 * The network is a set: a message that was sent stays available, and nobody has to receive it. So
 * loss, delay, duplication and reordering need no steps of their own. Byzantine validators are not
 * modelled as processes: whatever they could sign counts as sent, to everybody, at any time. They
 * cannot sign for others. Replicas 0 … H-1 are honest, validators H … N-1 are Byzantine.
 *
 * A digest is a bit (A or B), so that a set of digests is a sum. A claim is what a VIEW-CHANGE
 * says was prepared: NOTHING, or CLAIM(view, digest); sets of claims are bit sets too.
 */

#ifndef N
#define N 4
#endif
#ifndef BYZ
#define BYZ 1
#endif
#ifndef Q
#define Q 3
#endif
#ifndef VIEWS
#define VIEWS 3
#endif
#define H (N - BYZ)

#define A 1
#define B 2

#define NOTHING     0
#define CLAIM(v, d) (1 + 2 * (v) + (d) - 1)
/* The claims of views below m, and NOTHING. */
#define CLAIMS_BELOW(m) ((1 << (1 + 2 * (m))) - 1)
#define ALL_CLAIMS      CLAIMS_BELOW(VIEWS)

#define PREPARE     1
#define COMMIT      2
#define VIEW_CHANGE 3

/* A validator: its vote log, what it has written there and not yet synced, what it ever sent. */
typedef Replica {
  /* The vote log. */
  byte view;             /* highest view entered */
  byte prepared[VIEWS];  /* view -> digest voted PREPARE for, or 0 */
  byte committed[VIEWS]; /* view -> digest voted COMMIT for, or 0; its certificate with it */
  byte change[VIEWS];    /* view -> claim of the VIEW-CHANGE; meaningful for views entered */
  bit abstains;          /* lost its log: votes no more at this height */
#ifdef ACCOUNTABLE
  bit faulty;            /* forgot what it voted, or never kept to the rules */
#endif
  /* Written, not yet durable: gone in a crash. */
  byte pendingKind;
  byte pendingView;
  byte pendingValue;
  /* On the wire, by view: sets of digests, sets of claims, highest wish. */
  byte sentPrepare[VIEWS];
  byte sentCommit[VIEWS];
  byte sentChange[VIEWS];
  byte wish;
};
Replica replica[H];

/* view -> digests that an honest primary proposed. */
byte proposed[VIEWS];

/* How many honest replicas i have F(i, x, y). */
#define OVER2(F, x, y) (F(0, x, y) + F(1, x, y))
#define OVER3(F, x, y) (OVER2(F, x, y) + F(2, x, y))
#define OVER4(F, x, y) (OVER3(F, x, y) + F(3, x, y))
#define OVER5(F, x, y) (OVER4(F, x, y) + F(4, x, y))
/* Whether every honest replica i has F(i, x); F may count with OVER. */
#define EVERY2(F, x) (F(0, x) && F(1, x))
#define EVERY3(F, x) (EVERY2(F, x) && F(2, x))
#define EVERY4(F, x) (EVERY3(F, x) && F(3, x))
#define EVERY5(F, x) (EVERY4(F, x) && F(4, x))
#if H == 2
#define OVER(F, x, y) OVER2(F, x, y)
#define EVERY(F, x)   EVERY2(F, x)
#elif H == 3
#define OVER(F, x, y) OVER3(F, x, y)
#define EVERY(F, x)   EVERY3(F, x)
#elif H == 4
#define OVER(F, x, y) OVER4(F, x, y)
#define EVERY(F, x)   EVERY4(F, x)
#elif H == 5
#define OVER(F, x, y) OVER5(F, x, y)
#define EVERY(F, x)   EVERY5(F, x)
#endif

/* How many signers the Byzantine validators add to a count: each one once. */
#ifdef SABOTAGE_DUPLICATE_SIGNERS
#define TRAITORS (BYZ > 0 -> Q : 0)
#elif defined(LIVENESS)
#define TRAITORS (traitorsActive -> BYZ : 0)
#else
#define TRAITORS BYZ
#endif

#define PREPARES(i, v, d) ((replica[i].sentPrepare[v] & (d)) != 0)
#define COMMITS(i, v, d)  ((replica[i].sentCommit[v] & (d)) != 0)
#define CHANGES(i, v, claims) ((replica[i].sentChange[v] & (claims)) != 0)
#define WISHES(i, v, none) (replica[i].wish >= (v))

/* A prepared certificate can be shown. */
#ifdef SABOTAGE_VIEW_UNSIGNED
/* The view is not among the signed fields: PREPAREs of different views make one certificate. */
#if VIEWS == 2
#define PREPARES_ANY(i, v, d) (PREPARES(i, 0, d) || PREPARES(i, 1, d))
#else
#define PREPARES_ANY(i, v, d) (PREPARES(i, 0, d) || PREPARES(i, 1, d) || PREPARES(i, 2, d))
#endif
#define PREPARED(v, d) (OVER(PREPARES_ANY, v, d) + TRAITORS >= Q)
#else
#define PREPARED(v, d) (OVER(PREPARES, v, d) + TRAITORS >= Q)
#endif

/* A commit certificate can be shown: d is decided. */
#define COMMITTED(v, d) (OVER(COMMITS, v, d) + TRAITORS >= Q)

/* The prepared certificate that a VIEW-CHANGE must carry for its claim. */
#ifdef SABOTAGE_CLAIM_WITHOUT_CERTIFICATE
#define PROVEN(v, m, d) (BYZ > 0 || OVER(CHANGES, v, 1 << CLAIM(m, d)) > 0)
#elif defined(LIAR)
#define PROVEN(v, m, d) PREPARED(m, d)
#else
#define PROVEN(v, m, d) (PREPARED(m, d) || OVER(CHANGES, v, 1 << CLAIM(m, d)) > 0)
#endif

/* q VIEW-CHANGEs of view v say that nothing was prepared. */
#define FRESH(v) (OVER(CHANGES, v, 1 << NOTHING) + TRAITORS >= Q)

/* q VIEW-CHANGEs of view v, the highest prepared certificate among them is that of d in view m. */
#ifdef SABOTAGE_MINIMUM
#define NOT_BEYOND(m) (ALL_CLAIMS & ~CLAIMS_BELOW(m) | 1 << NOTHING)
#else
#define NOT_BEYOND(m) CLAIMS_BELOW((m) + 1)
#endif
#define HIGHEST(v, m, d) \
  (PROVEN(v, m, d) && OVER(CHANGES, v, NOT_BEYOND(m)) + TRAITORS >= Q && \
   TRAITORS + OVER(CHANGES, v, 1 << CLAIM(m, d)) > 0)

#if VIEWS == 2
#define REPROPOSED(v, d) ((v) > 0 && HIGHEST(v, 0, d))
#elif VIEWS == 3
#define REPROPOSED(v, d) ((v) > 0 && HIGHEST(v, 0, d) || (v) > 1 && HIGHEST(v, 1, d))
#elif VIEWS == 4
#define REPROPOSED(v, d) \
  ((v) > 0 && HIGHEST(v, 0, d) || (v) > 1 && HIGHEST(v, 1, d) || (v) > 2 && HIGHEST(v, 2, d))
#endif

/* A justification exists that obliges, or allows, the primary of v to propose d. */
#ifdef SABOTAGE_JUSTIFICATION_NOT_RECOMPUTED
#define JUSTIFIED(v, d) true
#else
#define JUSTIFIED(v, d) ((v) == 0 || FRESH(v) || REPROPOSED(v, d))
#endif

/*
 * A PRE-PREPARE of view v for d is there. With PRIMARIES an honest primary proposes once a view.
 * Without it any primary may propose anything that it can justify, as often as it likes: this
 * allows more than any choice of Byzantine primaries, and makes all replicas alike.
 */
#ifdef PRIMARIES
#ifndef SHIFT
#define SHIFT 0
#endif
#ifndef PRIMARY
#define PRIMARY(v) (((v) + SHIFT) % N)
#endif
#define PROPOSAL(v, d) (PRIMARY(v) >= H && TRAITORS > 0 || (proposed[v] & (d)) != 0)
#else
#define PROPOSAL(v, d) true
#endif
