// What the pipeline did with a packet, in words: a phase for each stage that decided something, with the lines that made it decide so.

import { Drop, dropTexts } from '../../dataplane/counters/declare.js';
import type { Trace, TracedPacket, TraceStep } from '../../dataplane/tables/trace.js';
import type { ConfigLine, PacketTrace, ShownPacket, TracePhase } from '../api/packet-trace.js';
import { groupPlaintextMtu } from '../compile/transforms.js';
import { formatIpv4 } from '../config/addresses.js';
import { describeSet } from '../config/commands/route-map-set.js';
import { describeProtocol } from '../config/commands/service-names.js';
import type { Tek } from '../gdoi/group-policy.js';
import { lineOf, natLines, routeLines, routeMapLine } from './config-lines.js';
import { sayCryptoMap, sayPolicyIn } from './crypto-phases.js';
import { aceConfig, type Course, type PhaseSources, type Said, spiText } from './saying.js';

function show(packet: TracedPacket): ShownPacket {
  const port = (value: number): number | null => (value < 0 ? null : value);
  return {
    source: formatIpv4(packet.src),
    destination: formatIpv4(packet.dst),
    protocol: describeProtocol(packet.protocol),
    sourcePort: port(packet.sport),
    destinationPort: port(packet.dport),
    tos: packet.tos,
    ttl: packet.ttl,
    bytes: packet.length,
    dontFragment: packet.dontFragment,
  };
}

function endOf(address: number, port: number): string {
  return port < 0 ? formatIpv4(address) : `${formatIpv4(address)}/${port}`;
}

/** @returns null when the stage says nothing worth a phase */
function sayOf(step: TraceStep, course: Course, sources: PhaseSources): Said | null {
  switch (step.stage) {
    case '15-ip-input':
      return step.outcome === 'drop' ? { type: 'IP-INPUT', subtype: 'header', config: [], information: [] } : null;
    case '25-esp-open':
      return step.outcome === 'drop' ? sayOpen(step) : null;
    case '27-policy-in':
      return sayPolicyIn(step, course, sources);
    case '33-nat-hairpin':
      return step.session ? sayTranslation('NAT-HAIRPIN', step, sources) : null;
    case '35-nat-outside':
      return step.session ? sayTranslation('UN-NAT', step, sources) : null;
    case '38-policy-route':
      return sayPolicy(step, course, sources);
    case '40-route':
      return sayRoute(step, sources);
    case '42-multicast':
      return { type: 'MULTICAST', subtype: '', config: [], information: leaving(step, sources) };
    case '45-nat-inside':
      return sayTranslation('NAT', step, sources);
    case '55-crypto-map':
      return sayCryptoMap(step, course, sources);
    case '60-pmtu':
      return sayMtu(step, sources);
    case '70-esp-seal':
      return {
        type: 'VPN',
        subtype: 'encrypt',
        config: [],
        information: [`SA with SPI ${spiText(step)} seals it, ESP tunnel mode, addresses preserved`],
      };
    case '90-tx':
      return step.outcome === 'drop' ? { type: 'OUTPUT', subtype: '', config: [], information: [] } : null;
    case '95-local':
      return { type: 'LOCAL', subtype: '', config: [], information: ['For the router itself: handed to the host'] };
    case '22-acl-in':
    case '57-acl-out':
      return sayAccessList(step, course, sources);
    case '29-service-policy-in':
    case '62-tunnel-queue':
    case '80-queue':
      return sayServicePolicy(step, course, sources);
    default:
      // What else decides by lists.
      return step.aces.length > 0 || step.outcome === 'drop'
        ? { type: 'ACCESS-LIST', subtype: '', config: aceConfig(step, sources), information: [] }
        : null;
  }
}

/** Of a list on an interface: one that permits says so by its entry, one that denies perhaps by its end. */
function sayAccessList(step: TraceStep, { input }: Course, sources: PhaseSources): Said | null {
  if (step.aces.length === 0 && step.outcome !== 'drop') return null;
  const isIn = step.stage === '22-acl-in';
  const item = sources.config.interfaces.get(sources.nameOf(isIn ? input : step.txPort) ?? '');
  const [name, field, side] = isIn ? [item?.accessGroupIn, 'accessGroupIn', 'in'] : [item?.accessGroupOut, 'accessGroupOut', 'out'];
  const group = item && name !== undefined ? [lineOf(item, field, `interface ${item.name}: ip access-group ${name} ${side}`)] : [];
  const information = step.aces.length === 0 ? ['Implicit rule: no entry matches'] : [];
  return { type: 'ACCESS-LIST', subtype: side, config: [...group, ...aceConfig(step, sources)], information };
}

/** Of a policy at an interface, when it drops the packet or marks it. */
function sayServicePolicy(step: TraceStep, { input }: Course, sources: PhaseSources): Said | null {
  const marks = step.before.tos === step.after.tos ? [] : [`ToS octet ${step.before.tos} becomes ${step.after.tos}`];
  if (marks.length === 0 && step.outcome !== 'drop') return null;
  const isIn = step.stage === '29-service-policy-in';
  const item = sources.config.interfaces.get(sources.nameOf(isIn ? input : step.txPort) ?? '');
  const [name, field, side] = isIn
    ? ([item?.servicePolicyIn, 'servicePolicyIn', 'input'] as const)
    : ([item?.servicePolicyOut, 'servicePolicyOut', 'output'] as const);
  const config = item && name !== undefined ? [lineOf(item, field, `interface ${item.name}: service-policy ${side} ${name}`)] : [];
  return { type: 'QOS', subtype: side, config, information: marks };
}

function sayOpen(step: TraceStep): Said {
  const known = step.reason === Drop.EspIntegrity;
  const information = known ? [`SA with SPI ${spiText(step)} would open it; what is inside is not known here: ask with "decrypted"`] : [];
  return { type: 'VPN', subtype: 'decrypt', config: [], information };
}

function leaving({ txPort, nextHop }: TraceStep, { nameOf }: PhaseSources): string[] {
  return [`Found next-hop ${formatIpv4(nextHop)} using egress interface ${nameOf(txPort) ?? txPort}`];
}

function sayRoute(step: TraceStep, sources: PhaseSources): Said {
  const out = step.outcome === 'on' ? sources.nameOf(step.txPort) : null;
  const config = step.route ? routeLines(step.route, out, sources) : [];
  const prefix = step.route ? [`Route ${formatIpv4(step.route.prefix >>> 0)}/${step.route.prefixLength}`] : ['No route'];
  if (step.outcome !== 'on') return { type: 'ROUTE-LOOKUP', subtype: '', config, information: prefix };
  if (step.nextHop === 0) return { type: 'ROUTE-LOOKUP', subtype: 'identity', config, information: ['The destination is this router'] };
  return { type: 'ROUTE-LOOKUP', subtype: 'Resolve Egress Interface', config, information: [...prefix, ...leaving(step, sources)] };
}

function sayPolicy(step: TraceStep, { input }: Course, sources: PhaseSources): Said | null {
  const origins = step.policyEntries.map((row) => sources.tables.policyOrigins[row]).filter((origin) => origin !== undefined);
  const { before, after } = step;
  const first = origins.at(0);
  const use = first?.interface ?? null;
  const item = sources.config.interfaces.get(use ?? sources.nameOf(input) ?? '');
  const lines: ConfigLine[] = [];
  if (first && use === null) lines.push(lineOf(sources.config, 'localPolicy', `ip local policy route-map ${first.entry.name}`));
  else if (first && item) lines.push(lineOf(item, 'policy', `interface ${item.name}: ip policy route-map ${first.entry.name}`));
  const config = [...lines, ...origins.map(({ entry }) => routeMapLine(entry)), ...aceConfig(step, sources)];
  const information = origins.flatMap(({ entry }) =>
    entry.set && entry.action === 'permit' ? describeSet(entry.set).map((text) => `set ${text}`) : [],
  );
  if (before.tos !== after.tos) information.push(`ToS ${before.tos} becomes ${after.tos}`);
  if (before.dontFragment !== after.dontFragment) information.push(`DF is ${after.dontFragment ? 'set' : 'cleared'}`);
  if (step.outcome === 'on') information.push(...(step.nextHop === 0 ? ['Routed by its destination'] : leaving(step, sources)));
  return { type: 'PBR-LOOKUP', subtype: 'policy-route', config, information };
}

function sayTranslation(type: string, step: TraceStep, sources: PhaseSources): Said | null {
  const { before, after, natClauses, session } = step;
  const origins = natClauses.map((clause) => sources.tables.natOrigins[clause]).filter((origin) => origin !== undefined);
  const bySession =
    session && natClauses.length === 0
      ? sources.tables.natOrigins.find((origin) => origin.statement === sources.config.nat.statements[session.rule])
      : undefined;
  const used = bySession ? [{ ...bySession, entry: null }] : origins;
  const lines = [...used.flatMap(natLines), ...aceConfig(step, sources)];
  const config = lines.filter(({ text }, at) => lines.findIndex((other) => other.text === text) === at);
  if (step.outcome !== 'drop' && config.length === 0 && !session) return null;
  const information: string[] = [];
  if (before.src !== after.src || before.sport !== after.sport)
    information.push(`Dynamic translate ${endOf(before.src, before.sport)} to ${endOf(after.src, after.sport)}`);
  if (before.dst !== after.dst || before.dport !== after.dport)
    information.push(`Untranslate ${endOf(before.dst, before.dport)} to ${endOf(after.dst, after.dport)}`);
  if (session) information.push(session.made ? 'A new translation would be made' : 'By a translation that is there');
  for (const { entry, source } of origins)
    if (entry?.action === 'deny') information.push(`Not translated: route-map ${source.name} deny ${entry.sequence} exempts it`);
  return { type, subtype: session?.made ? 'new' : '', config, information };
}

function sayMtu(step: TraceStep, sources: PhaseSources): Said {
  const mtu = sources.mtuOf(step.txPort);
  const name = sources.nameOf(step.txPort) ?? String(step.txPort);
  const information = mtu === null ? [] : [`${step.before.length} bytes, MTU of ${name} is ${mtu}`];
  const tek = sealing(step, sources);
  if (mtu !== null && tek) information.push(`ESP${tek.udp ? ' in UDP' : ''} leaves ${groupPlaintextMtu(mtu, tek)} bytes of it`);
  const item = sources.config.interfaces.get(name);
  const config = item && item.ipMtu !== null ? [lineOf(item, 'ipMtu', `interface ${name}: ip mtu ${item.ipMtu}`)] : [];
  return { type: 'MTU', subtype: '', config, information };
}

function sealing({ sa, spi }: TraceStep, { config, teksOf }: PhaseSources): Tek | undefined {
  if (sa < 0) return undefined;
  const groups = [...config.cryptoMaps.values()].flat().flatMap(({ group }) => (group === null ? [] : [group]));
  return groups.flatMap((group) => [...teksOf(group)]).find((tek) => tek.spi >>> 0 === spi);
}

/** RFC 792. */
const icmpNames = new Map([
  [3, 'unreachable'],
  [11, 'time exceeded'],
]);

function sayError(error: number): string[] {
  if (error === 0) return [];
  const mtu = error & 0xffff;
  const name = icmpNames.get(error >>> 24) ?? '';
  return [`Answered with ICMP ${error >>> 24}/${(error >>> 16) & 255} ${name}${mtu > 0 ? `, next-hop MTU ${mtu}` : ''}`];
}

/** @param input port by which the packet arrives */
export function describeTrace(trace: Trace, input: number, sources: PhaseSources): PacketTrace {
  const phases: TracePhase[] = [];
  const first = trace.steps[0]?.after ?? null;
  for (const step of trace.steps) {
    const isOther = first !== null && (step.before.src !== first.src || step.before.dst !== first.dst);
    const said = sayOf(step, { input, original: isOther ? first : null }, sources);
    if (!said) continue;
    const text = step.outcome === 'drop' ? [dropTexts[step.reason]?.help ?? '', ...sayError(step.error)] : [];
    phases.push({
      number: phases.length + 1,
      ...said,
      result: step.outcome === 'drop' ? 'DROP' : 'ALLOW',
      information: [...said.information, ...text],
      stage: step.stage,
      before: show(step.before),
      after: show(step.after),
      rows: { accessList: step.aces, nat: step.natClauses, policy: step.policyEntries },
    });
  }
  return { phases, result: resultOf(trace, input, sources), generation: trace.generation, worker: trace.worker };
}

function resultOf({ steps, sent }: Trace, input: number, sources: PhaseSources): PacketTrace['result'] {
  const end = (port: number): PacketTrace['result']['input'] => ({
    interface: sources.nameOf(port) ?? String(port),
    status: sources.isUp(port) ? 'up' : 'down',
  });
  const last = steps.at(-1);
  const isDropped = last === undefined || last.outcome === 'drop';
  const reason = last ? dropTexts[last.reason] : undefined;
  const out = last?.outcome === 'sent' ? last.txPort : null;
  return {
    input: end(input),
    output: out === null ? null : end(out),
    action: isDropped ? 'drop' : 'allow',
    dropReason: reason ? { name: reason.name, text: reason.help } : null,
    sent: sent.map(({ port, link, packet, made }) => ({ interface: end(port).interface, link, packet: show(packet), made })),
  };
}
