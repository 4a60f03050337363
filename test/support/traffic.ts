// Numbered UDP datagrams between two hosts, in Python: what arrived, what was lost, doubled or out of order.

import type { Host, Lab } from './lab.js';
import { type Background, until } from './netns.js';

const sender = `
import socket, struct, sys, time
host, port, rate, stop, tos = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4], int(sys.argv[5])
import os
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, tos)
begin = time.monotonic(); n = 0
while not (n % 16 == 0 and os.path.exists(stop)):
    try: s.sendto(struct.pack('!I', n) + b'x' * (n % 1200), (host, port))
    except OSError: pass
    n += 1
    wait = begin + n / rate - time.monotonic()
    if wait > 0: time.sleep(wait)
print(n, flush=True)
`;

const receiver = `
import socket, struct, sys, json
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, 33, 8 << 20) # SO_RCVBUFFORCE: this process may get no CPU for a while
s.bind(('0.0.0.0', int(sys.argv[1])))
print('ready', flush=True)
seen = set(); doubled = late = 0; last = -1
while True:
    data, source = s.recvfrom(65536)
    if data == b'report':
        print(json.dumps({'seen': sorted(seen), 'doubled': doubled, 'late': late}), flush=True); break
    n = struct.unpack('!I', data[:4])[0]
    if n in seen: doubled += 1
    seen.add(n)
    if n < last: late += 1
    last = max(last, n)
`;

export interface FlowReport {
  sent: number;
  received: number;
  doubled: number;
  /** Arrived after one that was sent later. */
  late: number;
  /** Numbers of the datagrams that never arrived, as ranges `a-b`. */
  lost: string[];
}

/** A constant flow of datagrams; begins at once, ends with stop(). */
export class Flow {
  private constructor(
    private readonly lab: Lab,
    private readonly to: Host,
    private readonly port: number,
    private readonly flag: string,
    private readonly source: Background,
    private readonly sink: Background,
  ) {}

  /** @param rate datagrams per second */
  static async start(lab: Lab, from: Host, to: Host, rate: number, port: number, tos = 0): Promise<Flow> {
    const address = `10.0.${to.slice(1)}.10`;
    const flag = `${lab.directory}/stop-${from}-${to}-${port}`;
    const sink = lab.spawn(to, ['/usr/bin/python3', '-c', receiver, String(port)]);
    await sink.says(/ready/);
    const source = lab.spawn(from, ['/usr/bin/python3', '-c', sender, address, String(port), String(rate), flag, String(tos)]);
    return new Flow(lab, to, port, flag, source, sink);
  }

  /** Ends the flow and waits for what is on the way. */
  async stop(): Promise<FlowReport> {
    await this.lab.sh('core', `touch ${this.flag}`);
    await this.source.ended;
    const sent = Number(this.source.stdout.trim());
    if (!(sent > 0)) throw new Error(`the sender failed: ${this.source.stderr}`);
    // What is queued behind the last datagram arrives within this time, or never.
    await this.lab.sh(this.to, 'sleep 0.5');
    const report = `import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'report', ('127.0.0.1', ${this.port}))`;
    await this.lab.run(this.to, ['/usr/bin/python3', '-c', report]);
    await until('the receiver to report', () => !this.sink.running);
    const { seen, doubled, late } = JSON.parse(this.sink.stdout.split('\n')[1]) as { seen: number[]; doubled: number; late: number };
    return { sent, received: seen.length, doubled, late, lost: missingRanges(seen, sent) };
  }
}

function missingRanges(seen: readonly number[], sent: number): string[] {
  const ranges: string[] = [];
  let expected = 0;
  for (const n of [...seen, sent]) {
    if (n > expected) ranges.push(n - 1 === expected ? `${expected}` : `${expected}-${n - 1}`);
    expected = n + 1;
  }
  return ranges;
}
