// What bench/results/<date>.json holds: every raw measurement, and the machine it was taken on.

export interface Tcp {
  gbps: number;
  retransmits: number;
  /** CPU of the processes of both gateways, percent of one core. */
  gatewaysCpu: number;
  /** CPU of the whole machine, hosts and kernel too, percent of one core. */
  machineCpu: number;
}

export interface Flood {
  /** Datagrams that arrived, thousands a second. */
  kpps: number;
  offeredKpps: number;
  gatewaysCpu: number;
  machineCpu: number;
}

export interface Lossless {
  /** Highest rate found at which at most 0.1 % is lost. */
  kpps: number;
}

export interface Rtt {
  answered: number;
  lost: number;
  averageUs: number;
  medianUs: number;
  p99Us: number;
}

/** Of all processes of one gateway. Resident memory is the peak (VmHWM); Pss is what it was after the measurements. */
export interface Memory {
  processes: number;
  pssMiB: number;
  rssSumMiB: number;
  rssMaxMiB: number;
}

export interface Measures {
  tcp1?: Tcp;
  tcp4?: Tcp;
  flood?: Flood;
  lossless?: Lossless;
  rtt?: Rtt;
  /** Absent when no process runs on the gateways. */
  memory?: Memory;
}

/** One peer in one round. */
export interface Round extends Measures {
  peer: string;
  seg: number;
  round: number;
  /** Why there is no measurement. */
  failed?: string;
}

export interface Results {
  started: string;
  finished: string;
  /** kernel, cpu, versions, commit ...: name and value, in the order they are shown. */
  environment: Record<string, string>;
  knobs: Record<string, string>;
  rounds: Round[];
}
