// crypto pki trustpoint: certificates. Enrolment is IOS's by TFTP server, on a file system: PATH.ca and PATH.crt are read, PATH.req is written.
// Does not: SCEP, terminal and self-signed enrolment, OCSP, certificate maps.

import { formatIpv4 } from '../addresses.js';
import { integer, ipv4, restOfLine, word } from '../arguments.js';
import { type Block, block } from '../blocks.js';
import { NameError, parseDistinguishedName } from '../distinguished-name.js';
import type { Config, Trustpoint } from '../model.js';
import { ConfigError, type Edit } from '../session.js';
import { type Args, argument, choice, keyword, type Node, path, refused } from '../tree.js';

type TrustpointEdit = Edit<'ca-trustpoint'>;

export function defaultTrustpoint(name: string, line: number): Trustpoint {
  return {
    line,
    name,
    enrollmentPath: null,
    subjectName: null,
    fqdn: null,
    ipAddress: null,
    rsaKeypair: null,
    revocationCheck: ['crl'],
  };
}

/** One setting: read from the arguments when given, the default for `no`. */
function setting<K extends keyof Trustpoint>(field: K, read: (args: Args) => Trustpoint[K]) {
  return {
    run(args: Args, { session, target }: TrustpointEdit): void {
      target[field] = read(args);
      session.mark(target, field);
    },
    no(_: Args, { session, target }: TrustpointEdit): void {
      target[field] = defaultTrustpoint(target.name, 0)[field];
      session.mark(target, field);
    },
  };
}

const FileUrl = 'file:';

/** `file:/etc/x` and `file:///etc/x`. */
function readPath(args: Args): string {
  const url = args.text('url');
  if (!url.startsWith(FileUrl))
    throw new ConfigError(`enrollment over ${url.split(':')[0].slice(0, 20)} is not supported`, 'enrollment url file:/PATH');
  const rest = url.slice(FileUrl.length);
  const absolute = rest.startsWith('///') ? rest.slice(2) : rest;
  if (!absolute.startsWith('/') || absolute.startsWith('//') || absolute.endsWith('/') || absolute.split('/').includes('..')) {
    throw new ConfigError('an absolute path to a name in a directory is needed', 'enrollment url file:/etc/groupwire/r1');
  }
  return absolute;
}

function readSubject(args: Args): string {
  const text = args.text('name');
  try {
    parseDistinguishedName(text);
  } catch (error) {
    if (!(error instanceof NameError)) throw error;
    throw new ConfigError(error.message, 'subject-name CN=r1.example.net,O=Lab');
  }
  return text;
}

function readFqdn(args: Args): string {
  const name = args.text('fqdn');
  const plain = [...name].every((c) => (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || '-_.'.includes(c));
  if (!plain || name.startsWith('.') || name.endsWith('.') || name.includes('..')) throw new ConfigError(`"${name}" is not a host name`);
  return name;
}

const enrollment = setting('enrollmentPath', readPath);
const subject = setting('subjectName', readSubject);
const fqdn = setting('fqdn', readFqdn);
const address = setting('ipAddress', (args) => args.number('address'));
const keypair = setting('rsaKeypair', (args) => ({ label: args.text('label'), modulusBits: args.optionalNumber('modulus') }));
const revocation = setting('revocationCheck', (args) => {
  const second = args.optionalText('second');
  return [args.text('method'), ...(second === null ? [] : [second])] as Trustpoint['revocationCheck'];
});

const noOcsp = refused<TrustpointEdit>('ocsp', 'revocation-check ocsp is not supported', 'revocation-check crl');

export const trustpointCommands: Node<TrustpointEdit>[] = [
  keyword('enrollment', 'Enrollment parameters', {
    commit: true,
    no: enrollment.no,
    next: [
      keyword('url', 'CA server enrollment URL', { next: [argument('url', word(200), 'file:PATH', { run: enrollment.run })] }),
      refused('terminal', 'enrollment terminal is not supported', 'enrollment url file:/PATH'),
      refused('selfsigned', 'self-signed certificates are not supported', 'groupwire pki init-ca, issue; enrollment url file:/PATH'),
    ],
  }),
  keyword('fqdn', 'include fully-qualified domain name', {
    commit: true,
    no: fqdn.no,
    next: [argument('fqdn', word(63), 'Fully qualified domain name', { run: fqdn.run })],
  }),
  keyword('ip-address', 'include ip address', {
    commit: true,
    no: address.no,
    next: [argument('address', ipv4, 'IP address', { run: address.run })],
  }),
  keyword('revocation-check', 'Revocation checking options', {
    commit: true,
    no: revocation.no,
    next: [
      keyword('crl', 'Revocation check by CRL', {
        set: ['method', 'crl'],
        run: revocation.run,
        next: [keyword('none', 'Ignore revocation check when there is no CRL', { set: ['second', 'none'], run: revocation.run }), noOcsp],
      }),
      keyword('none', 'Ignore revocation check', { set: ['method', 'none'], run: revocation.run }),
      noOcsp,
    ],
  }),
  keyword('rsakeypair', 'Specify rsakeypair for this identity', {
    commit: true,
    no: keypair.no,
    next: [
      argument('label', word(40), 'RSA keypair label', {
        run: keypair.run,
        next: [argument('modulus', integer(1024, 4096), 'size of the key modulus', { run: keypair.run })],
      }),
    ],
  }),
  keyword('subject-name', 'Subject Name', {
    commit: true,
    no: subject.no,
    next: [argument('name', restOfLine(), 'Subject Name', { run: subject.run })],
  }),
];

function enterTrustpoint(args: Args, { session, target }: Edit<'config'>): void {
  const name = args.text('name');
  let trustpoint = target.trustpoints.get(name);
  if (!trustpoint) {
    trustpoint = defaultTrustpoint(name, session.line);
    target.trustpoints.set(name, trustpoint);
    session.mark(trustpoint, '');
  }
  session.enter('ca-trustpoint', trustpoint, `crypto pki trustpoint ${name}`);
}

function removeTrustpoint(args: Args, { session, target }: Edit<'config'>): void {
  const name = args.text('name');
  if (!target.trustpoints.delete(name)) session.warnAbsent(`crypto pki trustpoint ${name}`);
  session.forgetLinesIn([`crypto pki trustpoint ${name}`]);
}

const identity = (_: Args, edit: Edit<'config'>, value: Config['isakmp']['identity']): void => {
  edit.target.isakmp.identity = value;
};

export const pkiCommands: Node<Edit<'config'>>[] = [
  path(
    [
      ['crypto', 'Encryption module'],
      ['pki|ca', 'Public Key components'],
    ],
    [
      keyword('trustpoint', 'Define a CA trustpoint', {
        commit: true,
        next: [argument('name', word(40), 'CA Server Name', { run: enterTrustpoint, no: removeTrustpoint })],
      }),
    ],
  ),
  path(
    [
      ['crypto', 'Encryption module'],
      ['isakmp', 'Configure ISAKMP policy'],
    ],
    [
      keyword('identity', 'Set the identity which ISAKMP will use', {
        commit: true,
        no: (args, edit) => identity(args, edit, 'address'),
        next: choice(
          'identity',
          {
            address: ['address', 'Use the IP address of the interface for the identity'],
            dn: ['dn', "Use the distinguished name of the router's certificate for the identity"],
            hostname: ['hostname', 'Use the hostname of the router for the identity'],
          },
          { run: (args, edit) => identity(args, edit, args.text('identity') as Config['isakmp']['identity']) },
        ),
      }),
    ],
  ),
];

export function printTrustpoints({ trustpoints }: Config): Block[] {
  return [...trustpoints.values()].map(({ name, ...item }) =>
    block(
      `crypto pki trustpoint ${name}`,
      item.enrollmentPath !== null && `enrollment url ${FileUrl}${item.enrollmentPath}`,
      item.fqdn !== null && `fqdn ${item.fqdn}`,
      item.ipAddress !== null && `ip-address ${formatIpv4(item.ipAddress)}`,
      item.subjectName !== null && `subject-name ${item.subjectName}`,
      item.revocationCheck.join(' ') !== 'crl' && `revocation-check ${item.revocationCheck.join(' ')}`,
      item.rsaKeypair !== null &&
        `rsakeypair ${item.rsaKeypair.label}${item.rsaKeypair.modulusBits === null ? '' : ` ${item.rsaKeypair.modulusBits}`}`,
    ),
  );
}
