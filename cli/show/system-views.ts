// Show commands of the router as a system of processes: clock, version, logging, configuration, what support asks for.

import type { Snapshot } from '../../control/api/snapshot.js';
import type { ShowTopic } from '../../control/config/exec.js';
import { viewOfCaptures } from './capture.js';
import { dropTable, renderDrops } from './drops.js';
import { renderDebugging, renderLogging } from './logging.js';
import { viewOfPacketTrace } from './packet-trace.js';
import { renderProcessesCpu, renderProcessesMemory } from './processes.js';
import { renderClock, renderRunningConfig, renderVersion } from './system.js';
import { renderTechSupport } from './tech-support.js';
import { ShowError, type View } from './view.js';

type SystemTopic = Extract<
  ShowTopic,
  {
    topic:
      | 'archive config differences'
      | 'clock'
      | 'debugging'
      | 'drops'
      | 'logging'
      | 'monitor capture'
      | 'packet-trace'
      | 'processes cpu'
      | 'processes memory'
      | 'running-config'
      | 'startup-config'
      | 'tech-support'
      | 'version';
  }
>;

/** @param linesOf the lines of another command, for those that show several. @throws ShowError */
export function viewOfSystem(topic: SystemTopic, snapshot: Snapshot, linesOf: (topic: ShowTopic) => string[]): View {
  switch (topic.topic) {
    case 'archive config differences':
    case 'startup-config':
      throw new ShowError(`% show ${topic.topic} is answered by control`);
    case 'clock':
      return { lines: renderClock(snapshot), json: { takenAt: snapshot.takenAt } };
    case 'debugging':
      return { lines: renderDebugging(snapshot), json: { debugging: snapshot.debugging } };
    case 'drops':
      return { lines: renderDrops(snapshot), json: dropTable(snapshot) };
    case 'logging':
      return { lines: renderLogging(snapshot), json: { logging: snapshot.logging } };
    case 'monitor capture':
      return viewOfCaptures(topic.name, snapshot);
    case 'packet-trace':
      return viewOfPacketTrace(topic.packet, snapshot.packetTrace);
    case 'processes cpu':
      return { lines: renderProcessesCpu(snapshot), json: { processes: snapshot.processes } };
    case 'processes memory':
      return { lines: renderProcessesMemory(snapshot), json: { processes: snapshot.processes } };
    case 'running-config':
      return { lines: renderRunningConfig(snapshot), json: { runningConfig: snapshot.runningConfig } };
    case 'tech-support':
      return { lines: renderTechSupport(linesOf), json: snapshot };
    case 'version': {
      const { hostname, instance, version, uptimeSeconds, dataplaneConnected, workers, aes, processes } = snapshot;
      const json = { hostname, instance, version, uptimeSeconds, dataplaneConnected, workers, aes, processes };
      return { lines: renderVersion(snapshot), json };
    }
  }
}
