import { useTransport } from "../support/transport.ts";

// The tests of the default suite, every one of them, over SM2, SM4-GCM and SM3.
useTransport("gm");
await import("./admission-relay.test.ts");
