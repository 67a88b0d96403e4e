import type { MetricDefinition } from "@credlink/primitives";

/** What the executor counts. */
export const contractsVmMetrics = {
  calls: {
    name: "credlink_contracts_vm_calls_total",
    kind: "counter",
    help: "Transactions executed, by outcome: success, refused (by the contract) or failed (VM_…).",
    labels: ["outcome"],
  },
  gas: {
    name: "credlink_contracts_vm_gas_total",
    kind: "counter",
    help: "Gas used by executed transactions.",
  },
  modules: {
    name: "credlink_contracts_vm_modules_total",
    kind: "counter",
    help: "Look-ups of compiled contracts, by result: cached, restored or compiled.",
    labels: ["result"],
  },
  reruns: {
    name: "credlink_contracts_vm_reruns_total",
    kind: "counter",
    help: "Calls run again from their start because a range of state had to be loaded.",
  },
} as const satisfies Record<string, MetricDefinition>;
