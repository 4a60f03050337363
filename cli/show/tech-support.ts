// `show tech-support`: the output of many show commands, each below its name, as support asks for it. All of it comes from the snapshot,
// which holds no secret.

import { parseExec, type ShowTopic } from '../../control/config/exec.js';

const commands = [
  'show clock',
  'show version',
  'show running-config',
  'show processes cpu',
  'show processes memory',
  'show interfaces',
  'show ip interface brief',
  'show ip route',
  'show access-lists',
  'show route-map all',
  'show policy-map interface',
  'show drops',
  'show crypto isakmp policy',
  'show crypto isakmp sa detail',
  'show crypto ipsec sa detail',
  'show crypto map',
  'show crypto session detail',
  'show crypto gdoi detail',
  'show crypto gdoi ks members',
  'show crypto gdoi ks policy',
  'show crypto pki certificates',
  'show logging',
  'show debugging',
];

/** @param linesOf the lines of one command */
export function renderTechSupport(linesOf: (topic: ShowTopic) => string[]): string[] {
  return commands.flatMap((line) => {
    const command = parseExec(line);
    if ('error' in command || command.kind !== 'show') throw new TypeError(`${line} is no show command`);
    return ['', `------------------ ${line} ------------------`, '', ...linesOf(command)];
  });
}
