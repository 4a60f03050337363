// `show class-map [NAME]`, `show policy-map [NAME [class C]]`.

import type { ClassMapState, PolicyMapState, QosState } from '../../control/api/snapshot-qos.js';
import type { ShowTopic } from '../../control/config/exec-node.js';
import { ShowError, select, type View } from './view.js';

const none: QosState = { classMaps: [], policyMaps: [] };
/** In every policy; IOS lists it with number 0. */
const classDefault: ClassMapState = { name: 'class-default', match: 'any', description: null, matches: ['any'] };

/** @param id number that IOS gives to a class-map: their order here */
function renderClassMap({ name, match, description, matches }: ClassMapState, id: number): string[] {
  return [
    ` Class Map match-${match} ${name} (id ${id})`,
    ...(description === null ? [] : [`  Description: ${description}`]),
    ...(matches.length === 0 ? ['none'] : matches).map((words) => `   Match ${words}`),
    '',
  ];
}

function renderPolicyMap({ name, description, classes }: PolicyMapState): string[] {
  return [
    `    Policy Map ${name}`,
    ...(description === null ? [] : [`     Description: ${description}`]),
    ...classes.flatMap((item) => [`        Class ${item.name}`, ...item.actions.map((line) => `            ${line}`)]),
    '',
  ];
}

type QosTopic = Extract<ShowTopic, { topic: 'class-map' | 'policy-map' }>;

/** @throws ShowError for a name that does not exist */
export function viewOfQos(topic: QosTopic, state: QosState = none): View {
  if (topic.topic === 'class-map') {
    const all = [classDefault, ...state.classMaps];
    const classMaps = select(all, topic.name, ({ name }) => name, 'Class map');
    return { lines: classMaps.flatMap((item) => renderClassMap(item, all.indexOf(item))), json: { classMaps } };
  }
  const chosen = select(state.policyMaps, topic.name, ({ name }) => name, 'Policy map');
  const policyMaps = chosen.map((policy) => ({
    ...policy,
    classes: policy.classes.filter(({ name }) => topic.class === null || name === topic.class),
  }));
  if (topic.class !== null && policyMaps.every(({ classes }) => classes.length === 0))
    throw new ShowError(`% Class ${topic.class} is not in policy map ${topic.name}`);
  return { lines: policyMaps.flatMap(renderPolicyMap), json: { policyMaps } };
}
