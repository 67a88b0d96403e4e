/*
 * When a validator that lost its vote log may vote again: heights, n = 4, one traitor.
 *
 * The validator may have voted at any height up to one above its head. It forgets, abstains, and
 * has a RECOVER with a nonce drawn after the start put on the chain; it votes only above the block
 * that holds that very nonce. `forgotten` is what an onlooker knows of its votes before.
 */
#define TOP    6 /* heights */
#define LOSSES 2

byte decided;   /* highest height decided */
byte own;       /* the validator's head */
byte peer[2];   /* heads of the honest others */
byte voted;     /* highest height that it knows to have voted at */
byte forgotten; /* highest height that it voted at and has forgotten */
byte bound;     /* votes at no height up to this */
byte nonce;     /* of the present start */
byte included;  /* nonce of the last RECOVER on the chain */
byte block;     /* height of its block */
byte losses;
bit abstains;

#ifdef SABOTAGE_COUNTS_HEADS
#define MAX(a, b)     (a > b -> a : b)
#define MAY_RECOVER   true
#define RECOVERED_AT  (MAX(peer[0], peer[1]) + 1)
#else
#define MAY_RECOVER   (included == nonce)
#define RECOVERED_AT  block
#endif

active proctype Chain() {
end:
  do
  :: d_step { decided < TOP && peer[0] + 1 >= decided -> decided++ }
  :: d_step { own < decided -> own++ }
  :: d_step { peer[0] < decided -> peer[0]++ }
  :: d_step { peer[1] < decided -> peer[1]++ }
  :: d_step {
      !abstains && own + 1 > voted && own + 1 > bound ->
      assert(own + 1 > forgotten);
      voted = own + 1;
      printf("validator votes at height %d\n", voted)
    }
  :: d_step {
      losses < LOSSES ->
      losses++;
      if
      :: voted > forgotten -> forgotten = voted
      :: else
      fi;
      voted = 0;
      bound = 0;
      own = 0;
      abstains = 1;
#ifdef SABOTAGE_NONCE_ON_DISK
      nonce = 1;
#else
      nonce++;
#endif
      printf("validator loses its vote log\n")
    }
  :: d_step {
      abstains && decided < TOP && included != nonce ->
      decided++;
      included = nonce;
      block = decided;
      printf("height %d holds the nonce of start %d\n", block, nonce)
    }
  :: d_step {
      abstains && MAY_RECOVER ->
      abstains = 0;
      bound = RECOVERED_AT;
      printf("validator votes again above height %d\n", bound)
    }
  od
}
