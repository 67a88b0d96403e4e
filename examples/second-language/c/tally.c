/*
 * Totals by name, in C without a library: the same contract as assembly/index.ts. Build it with build.sh;
 * docs/protocol/contracts.md says what the host offers.
 */
typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

#define HOST(name) __attribute__((import_module("credlink"), import_name(name))) extern
HOST("input_size") int input_size(void);
HOST("input_read") void input_read(u8 *to);
HOST("buffer_read") void buffer_read(u8 *to);
HOST("return_value") void return_value(const u8 *from, u32 length);
HOST("revert") void host_revert(const char *code, u32 length, const char *message, u32 message_length);
HOST("state_get") int state_get(const u8 *key, u32 length);
HOST("state_put") void state_put(const u8 *key, u32 length, const u8 *value, u32 value_length);
HOST("event") void host_event(const char *topic, u32 length, const u8 *data, u32 data_length);

/* The contract's name and version, where the node looks for them. */
__asm__(".section .custom_section.credlink.version,\"\",@\n.ascii \"tally@1.0.0\"\n");

#define MAX_NAME 32
#define TOTALS 0x74
#define TOTAL_BYTES 10
/* Longest arguments that are well formed: a list, a text of 32 bytes, a number. */
#define MAX_INPUT (1 + 2 + MAX_NAME + 9)
#define EXPORT(name) __attribute__((export_name(name)))
#define REVERT(code) revert_with(code, sizeof(code) - 1)

static u8 args[MAX_INPUT];
static u32 args_length;
static u32 at;
static u8 key[1 + MAX_NAME];
static u32 key_length;

static void revert_with(const char *code, u32 length) {
  host_revert(code, length, code, 0);
  __builtin_unreachable();
}

static void malformed(void) { REVERT("TALLY_MALFORMED"); }

static void read_args(void) {
  args_length = (u32)input_size();
  if (args_length > MAX_INPUT) malformed();
  input_read(args);
  at = 0;
}

static u8 take(void) {
  if (at >= args_length) malformed();
  return args[at++];
}

static void finish(void) {
  if (at != args_length) malformed();
}

static void list(u32 count) {
  if (take() != (0x90 | count)) malformed();
}

/* Text of at most 32 bytes, in its one canonical form, straight into the key. */
static void name_key(void) {
  u8 head = take();
  u32 length = 0;
  if ((head & 0xe0) == 0xa0) length = head & 0x1f;
  else if (head == 0xd9) {
    length = take();
    if (length < 0x20) malformed();
  } else malformed();
  if (length > MAX_NAME || length > args_length - at) malformed();
  key[0] = TOTALS;
  for (u32 i = 0; i < length; i++) key[1 + i] = args[at + i];
  at += length;
  key_length = 1 + length;
}

static u64 wide(const u8 *from) {
  u64 value = 0;
  for (u32 i = 0; i < 8; i++) value = (value << 8) | from[i];
  return value;
}

/* A u64: signed form below 2^63, unsigned form from there on. */
static u64 number(void) {
  u8 head = take();
  if (args_length - at < 8) malformed();
  u64 value = wide(args + at);
  at += 8;
  if (head != ((value >> 63) == 0 ? 0xd3 : 0xcf)) malformed();
  return value;
}

static u64 total_of_key(void) {
  static u8 stored[TOTAL_BYTES];
  if (state_get(key, key_length) < 0) return 0;
  buffer_read(stored);
  return wide(stored + 2);
}

static void encode_total(u8 *to, u64 total) {
  to[0] = 0x91;
  to[1] = (total >> 63) == 0 ? 0xd3 : 0xcf;
  for (u32 i = 0; i < 8; i++) to[2 + i] = (u8)(total >> ((7 - i) << 3));
}

/* Args [name, amount]. Event tally.added: the new [total]. */
EXPORT("add") void add(void) {
  static const char topic[] = "tally.added";
  u8 total[TOTAL_BYTES];
  read_args();
  list(2);
  name_key();
  u64 amount = number();
  finish();
  u64 before = total_of_key();
  if (before > ~(u64)0 - amount) REVERT("TALLY_OVERFLOW");
  encode_total(total, before + amount);
  state_put(key, key_length, total, TOTAL_BYTES);
  host_event(topic, sizeof(topic) - 1, total, TOTAL_BYTES);
}

/* Args [name]. Returns [total]. */
EXPORT("get") void get(void) {
  u8 total[TOTAL_BYTES];
  read_args();
  list(1);
  name_key();
  finish();
  encode_total(total, total_of_key());
  return_value(total, TOTAL_BYTES);
}
