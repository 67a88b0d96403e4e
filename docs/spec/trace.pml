/*
 * Runs of the real replica against the model: traces.h holds what four honest replicas recorded,
 * sent and decided, height by height. A trace is accepted when every event of it is a step that
 * the model allows in the state it is in; otherwise the search of that trace ends before its end.
 */
#define VIEWS 4
#define BYZ   0
#define PRIMARIES
#define WISHES_NEEDED
#define CRASHES
#define PRIMARY(v) primary[v]
byte primary[VIEWS];

#include "messages.pml"
#include "properties.pml"
#include "replica.pml"

#define PROPOSED 4
#define WISHED   5
#define SENT     6 /* plus PREPARE, COMMIT or VIEW_CHANGE */
#define DECIDED  10
#define CRASHED  11

c_decl {
\#include "traces.h"
}

int which;
int at;
byte kind;
byte node;
byte inView;
byte value;

inline nextEvent() {
  c_code {
    now.kind = traceEvents[now.at][0];
    now.node = traceEvents[now.at][1];
    now.inView = traceEvents[now.at][2];
    now.value = traceEvents[now.at][3];
    now.at++;
  }
}

init {
  /* Any trace. */
  do
  :: c_expr { now.which + 1 < TRACES } -> which++
  :: break
  od;
  skip;
  d_step {
    c_code {
      now.at = traceStart[now.which];
      memcpy(now.primary, tracePrimaries[now.which], sizeof now.primary);
    };
    nextEvent()
  };
  do
  :: d_step { kind == 0 -> c_code { printf("accepted %d\n", now.which); } }; break
  :: d_step {
      kind == PREPARE && MAY_PREPARE(node, inView, value) ->
      vote(node, PREPARE, inView, value); sync(node); nextEvent()
    }
  :: d_step {
      kind == COMMIT && MAY_COMMIT(node, inView, value) ->
      vote(node, COMMIT, inView, value); sync(node); nextEvent()
    }
  :: d_step {
      kind == VIEW_CHANGE && MAY_ENTER(node, inView) ->
      enter(node, inView); sync(node); nextEvent()
    }
  :: d_step {
      kind == PROPOSED && MAY_PROPOSE(node, inView, value) ->
      propose(node, inView, value); nextEvent()
    }
  :: d_step {
      kind == WISHED && (MAY_TIME_OUT(node, inView) || MAY_RAISE(node, inView)) ->
      wishFor(node, inView); nextEvent()
    }
  :: d_step {
      kind == SENT + PREPARE && replica[node].prepared[inView] == value ->
      send(node, PREPARE, inView, value); nextEvent()
    }
  :: d_step {
      kind == SENT + COMMIT && replica[node].committed[inView] == value ->
      send(node, COMMIT, inView, value); nextEvent()
    }
  :: d_step {
      kind == SENT + VIEW_CHANGE && replica[node].view >= inView &&
      replica[node].change[inView] == value ->
      send(node, VIEW_CHANGE, inView, value); nextEvent()
    }
  :: d_step { kind == DECIDED && COMMITTED(inView, value) -> nextEvent() }
  :: d_step { kind == CRASHED -> crash(node); nextEvent() }
  :: else -> c_code {
      printf("rejected %d: event %d is {%d,%d,%d,%d}\n", now.which,
        now.at - 1 - traceStart[now.which], now.kind, now.node, now.inView, now.value);
    };
    break
  od
}
