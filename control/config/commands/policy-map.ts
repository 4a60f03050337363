// policy-map NAME, class NAME below it, and where a policy is used: `service-policy input|output NAME` and `qos pre-classify` on an interface.
// What a class does: policy-queueing.ts, policy-police.ts, policy-red.ts, and set and service-policy here.

import { integer, restOfLine, word } from '../arguments.js';
import { type Block, block } from '../blocks.js';
import type { Config, InterfaceConfig, PolicyClass, PolicyMap } from '../model.js';
import { ConfigError, type Edit } from '../session.js';
import { type Action, type Args, argument, keyword, type Node, refused } from '../tree.js';
import { policeCommand, printPolice } from './policy-police.js';
import { classField, printQueueing, queueingCommands } from './policy-queueing.js';
import { printRed, redCommand } from './policy-red.js';
import { dscpNames, nameOf, precedenceNames, valueNodes } from './tos-names.js';

type PolicyEdit = Edit<'config-pmap'>;
type ClassEdit = Edit<'config-pmap-c'>;

function enterPolicy(args: Args, { session, target }: Edit<'config'>): void {
  const name = args.text('name');
  let policy = target.policyMaps.get(name);
  if (!policy) {
    policy = { line: session.line, name, description: null, classes: [] };
    session.mark(policy, '');
    target.policyMaps.set(name, policy);
  }
  session.enter('config-pmap', policy, `policy-map ${name}`);
}

function removePolicy(args: Args, { session, target }: Edit<'config'>): void {
  const name = args.text('name');
  if (target.policyMaps.delete(name)) session.forgetLinesIn([`policy-map ${name}`]);
  else session.warnAbsent(`policy-map ${name}`);
}

export const policyMapCommands: Node<Edit<'config'>>[] = [
  keyword('policy-map', 'Configure Policy Map', {
    commit: true,
    next: [argument('name', word(), 'Policy-map name', { run: enterPolicy, no: removePolicy })],
  }),
];

function enterClass(args: Args, { session, target }: PolicyEdit): void {
  const name = args.text('name');
  let item = target.classes.find((other) => other.name === name);
  if (!item) {
    item = { line: session.line, name };
    session.mark(item, '');
    target.classes.push(item);
  }
  session.enter('config-pmap-c', item, `class ${name}`);
}

function removeClass(args: Args, { session, target }: PolicyEdit): void {
  const name = args.text('name');
  const kept = target.classes.filter((other) => other.name !== name);
  if (kept.length === target.classes.length) session.warnAbsent(`class ${name}`);
  target.classes = kept;
  session.forgetLinesIn([...session.frame.path, `class ${name}`]);
}

export const policyCommandsOfMap: Node<PolicyEdit>[] = [
  keyword('class', 'policy criteria', {
    commit: true,
    next: [argument('name', word(), 'class-map name, or class-default', { run: enterClass, no: removeClass })],
  }),
  keyword('description', 'Policy-Map description', {
    commit: true,
    no: (_, { target }) => {
      target.description = null;
    },
    next: [
      argument('text', restOfLine(), 'Up to 240 characters', {
        run: (args, { target }) => {
          target.description = args.text('text');
        },
      }),
    ],
  }),
];

type Mark = keyof NonNullable<PolicyClass['set']>;

/** DSCP and precedence are the same bits: the one set last counts. */
function setMark(mark: Mark): Action<ClassEdit> {
  return (args, { session, target }) => {
    const before = { ...target.set };
    if (mark !== 'qosGroup') {
      delete before.dscp;
      delete before.precedence;
    }
    target.set = { ...before, [mark]: args.number('value') };
    session.mark(target, `set ${mark}`);
  };
}

function unsetMark(mark: Mark): Action<ClassEdit> {
  return (_, { session, target }) => {
    if (target.set?.[mark] === undefined) session.warnAbsent(`set ${mark}`);
    const { [mark]: _gone, ...rest } = target.set ?? {};
    if (Object.keys(rest).length > 0) target.set = rest;
    else delete target.set;
  };
}

function tosNodes(): Node<ClassEdit>[] {
  return [
    keyword('dscp', 'Set DSCP in IP packets', {
      no: unsetMark('dscp'),
      next: valueNodes('value', 63, dscpNames, 'DSCP', { run: setMark('dscp'), no: unsetMark('dscp') }),
    }),
    keyword('precedence', 'Set precedence in IP packets', {
      no: unsetMark('precedence'),
      next: valueNodes('value', 7, precedenceNames, 'Precedence', { run: setMark('precedence'), no: unsetMark('precedence') }),
    }),
  ];
}

const child = classField('servicePolicy', 'service-policy', (args) => args.text('child'));

export const policyClassCommands: Node<ClassEdit>[] = [
  ...queueingCommands,
  redCommand,
  policeCommand,
  refused('drop', 'drop is not supported', 'police cir 8000 conform-action drop exceed-action drop'),
  keyword('service-policy', 'Configure QoS Service Policy', {
    commit: true,
    no: child.no,
    next: [argument('child', word(), 'policy-map name', child)],
  }),
  keyword('set', 'Set QoS values', {
    commit: true,
    next: [
      ...tosNodes(),
      keyword('ip', 'Set IP specific values', { next: tosNodes() }),
      keyword('qos-group', 'Set QoS Group', {
        no: unsetMark('qosGroup'),
        next: [argument('value', integer(0, 99), 'qos-group', { run: setMark('qosGroup'), no: unsetMark('qosGroup') })],
      }),
      ...['atm-clp', 'cos', 'discard-class', 'fr-de', 'mpls'].map((what) =>
        refused<ClassEdit>(what, `set ${what} is not supported`, 'set dscp'),
      ),
    ],
  }),
];

type InterfaceEdit = Edit<'config-if'>;
const fields = { input: 'servicePolicyIn', output: 'servicePolicyOut' } as const;

function directionNode(direction: 'input' | 'output', help: string): Node<InterfaceEdit> {
  const field = fields[direction];
  const no: Action<InterfaceEdit> = (args, { session, target }) => {
    const name = args.optionalText('policy');
    if (target[field] !== undefined && (name === null || target[field] === name)) delete target[field];
    else session.warnAbsent(`service-policy ${direction}${name === null ? '' : ` ${name}`}`);
  };
  const run: Action<InterfaceEdit> = (args, { session, target }) => {
    const name = args.text('policy');
    if (target[field] !== undefined && target[field] !== name)
      throw new ConfigError(`Policy map ${target[field]} is already attached`, `no service-policy ${direction} ${target[field]}`);
    target[field] = name;
    session.mark(target, field);
  };
  return keyword(direction, help, { no, next: [argument('policy', word(), 'policy-map name', { run, no })] });
}

/** `qos pre-classify`, of a tunnel or an entry of a crypto map. */
export function preClassifyNode<C>(run: Action<C>, no: Action<C>): Node<C> {
  return keyword('qos', 'Quality of Service', {
    commit: true,
    next: [keyword('pre-classify', 'Enable QOS classification before packets are tunnel encapsulated', { run, no })],
  });
}

function ofTunnel(value: boolean): Action<InterfaceEdit> {
  return (_, { session, target }) => {
    if (!target.tunnel)
      throw new ConfigError(`${target.name} is no tunnel: nothing encapsulates its packets`, 'on the Tunnel and on the crypto map');
    if (value) target.tunnel.qosPreClassify = true;
    else delete target.tunnel.qosPreClassify;
    session.mark(target, 'qosPreClassify');
  };
}

export const qosInterfaceCommands: Node<InterfaceEdit>[] = [
  preClassifyNode<InterfaceEdit>(ofTunnel(true), ofTunnel(false)),
  keyword('service-policy', 'Configure QoS Service Policy', {
    commit: true,
    next: [
      directionNode('input', 'Assign policy-map to the input of an interface'),
      directionNode('output', 'Assign policy-map to the output of an interface'),
    ],
  }),
];

export function printInterfaceQos({ servicePolicyIn, servicePolicyOut, tunnel }: InterfaceConfig): Block[] {
  return [
    ...(tunnel?.qosPreClassify ? [block('qos pre-classify')] : []),
    ...(servicePolicyIn === undefined ? [] : [block(`service-policy input ${servicePolicyIn}`)]),
    ...(servicePolicyOut === undefined ? [] : [block(`service-policy output ${servicePolicyOut}`)]),
  ];
}

function printSetMarks({ set }: PolicyClass): string[] {
  return [
    ...(set?.dscp === undefined ? [] : [`set dscp ${nameOf(set.dscp, dscpNames)}`]),
    ...(set?.precedence === undefined ? [] : [`set precedence ${nameOf(set.precedence, precedenceNames)}`]),
    ...(set?.qosGroup === undefined ? [] : [`set qos-group ${set.qosGroup}`]),
  ];
}

function printClass(item: PolicyClass): Block {
  return block(
    `class ${item.name}`,
    ...printSetMarks(item),
    printPolice(item),
    ...printQueueing(item),
    ...printRed(item),
    item.servicePolicy !== undefined && `service-policy ${item.servicePolicy}`,
  );
}

function printPolicyMap({ name, description, classes }: PolicyMap): Block {
  return block(`policy-map ${name}`, description !== null && `description ${description}`, classes.map(printClass));
}

export function printPolicyMaps(config: Config): Block[] {
  return [...config.policyMaps.values()].map(printPolicyMap);
}
