// An edit of a configuration, line by line: what the commands' actions work on. Holds the modes that are open, the problems so far
// and where each setting came from.

import type {
  AccessList,
  ClassMap,
  Config,
  CryptoIdentity,
  CryptoMapEntry,
  FailClose,
  GdoiGroup,
  GdoiSa,
  GdoiServer,
  InterfaceConfig,
  IpsecProfile,
  IsakmpPolicy,
  IsakmpProfile,
  Keyring,
  NetworkGroup,
  Police,
  PolicyClass,
  PolicyMap,
  Problem,
  RouteMapEntry,
  ServiceGroup,
  TransformSet,
  Trustpoint,
} from './model.js';
import { recordSource } from './source-lines.js';
import type { Node } from './tree.js';

/** Configuration modes, by the name that IOS shows in its prompt, and what a command in each works on. */
export interface ModeTargets {
  config: Config;
  'conf-isa-prof': IsakmpProfile;
  'config-isakmp': IsakmpPolicy;
  'config-keyring': Keyring;
  'ca-trustpoint': Trustpoint;
  'cfg-crypto-trans': TransformSet;
  'ipsec-profile': IpsecProfile;
  'config-gdoi-group': GdoiGroup;
  'gdoi-local-server': GdoiServer;
  'gdoi-sa-ipsec': GdoiSa;
  'config-crypto-identity': CryptoIdentity;
  'config-crypto-map': CryptoMapEntry;
  'crypto-map-fail-close': FailClose;
  'config-std-nacl': AccessList;
  'config-ext-nacl': AccessList;
  'config-network-group': NetworkGroup;
  'config-service-group': ServiceGroup;
  'config-if': InterfaceConfig;
  'config-route-map': RouteMapEntry;
  'config-cmap': ClassMap;
  'config-pmap': PolicyMap;
  'config-pmap-c': PolicyClass;
  'config-pmap-c-police': Police;
}
export type ModeName = keyof ModeTargets;

/** What a configuration command works on. */
export interface Edit<M extends ModeName> {
  session: Session;
  target: ModeTargets[M];
}
export type ModeCommands = { [M in ModeName]: Node<Edit<M>>[] };

export interface Frame {
  mode: ModeName;
  target: ModeTargets[ModeName];
  /** Lines that open this mode from global configuration, as print writes them. */
  path: string[];
  indent: number;
}

/** A line that fits the grammar and cannot be done. The message never holds the line's secrets. */
export class ConfigError extends Error {
  constructor(
    message: string,
    readonly hint: string | null = null,
  ) {
    super(message);
  }
}

export class Session {
  readonly problems: Problem[] = [];
  /** Exec commands that the text asks for (`crypto key generate rsa`). */
  readonly execLines: { line: number; text: string }[] = [];
  readonly frames: Frame[];
  /** The line at work: number, text with secrets, text without, indentation. */
  line = 0;
  text = '';
  maskedText = '';
  indent = 0;
  /** Configuration mode was left: by `end`, or by `exit` from its outermost mode. A file goes on all the same. */
  ended = false;

  constructor(readonly config: Config) {
    this.frames = [{ mode: 'config', target: config, path: [], indent: -1 }];
  }

  get frame(): Frame {
    return this.frames[this.frames.length - 1];
  }

  /** Opens a mode below the one at work. @param opening the line that opens it, as print writes it */
  enter<M extends ModeName>(mode: M, target: ModeTargets[M], opening: string): void {
    this.frames.push({ mode, target, path: [...this.frame.path, opening], indent: this.indent });
  }

  /** `exit`: one mode outward. */
  leave(): void {
    if (this.frames.length > 1) this.frames.pop();
    else this.ended = true;
  }

  /** `end`: back to global configuration. */
  leaveAll(): void {
    this.frames.length = 1;
    this.ended = true;
  }

  report(severity: Problem['severity'], message: string, hint: string | null = null): void {
    this.problems.push({ line: this.line, severity, text: this.maskedText, message, hint });
  }

  warn(message: string, hint: string | null = null): void {
    this.report('warning', message, hint);
  }

  /** Remembers that `field` of `target` comes from the line at work, for the problems that verify finds later. */
  mark(target: object, field: string): void {
    recordSource(target, field, { line: this.line, text: this.maskedText });
  }

  /** Keeps the line at work as an unknown one. @param around lines of the modes around it */
  keepLine(around: string[]): void {
    this.config.unknownLines.push({ line: this.line, path: [...around, this.text] });
  }

  /** For `no`: forgets a thing together with the unknown lines kept inside it. */
  forgetLinesIn(path: string[]): void {
    const { config } = this;
    config.unknownLines = config.unknownLines.filter(
      (unknown) => path.some((step, i) => unknown.path[i] !== step) || unknown.path.length <= path.length,
    );
  }

  /** For `no` of something that is not there: harmless, but most often a slip. */
  warnAbsent(what: string): void {
    this.warn(`${what} is not configured: nothing to remove`);
  }
}
