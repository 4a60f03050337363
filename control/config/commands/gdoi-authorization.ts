// server local / authorization: which members a key server takes, by the address they register from and by their IKE identity.

import { word } from '../arguments.js';
import type { GdoiServer } from '../model.js';
import type { Edit } from '../session.js';
import { type Args, argument, keyword, type Node, path } from '../tree.js';

type ServerEdit = Edit<'gdoi-local-server'>;

function setting(field: 'authorizationAcl' | 'authorizationIdentity', read: (args: Args) => GdoiServer[typeof field]) {
  return (args: Args, { session, target }: ServerEdit): void => {
    target[field] = read(args);
    session.mark(target, field);
  };
}

export const authorizationCommand: Node<ServerEdit> = keyword('authorization', 'Authorization of members', {
  commit: true,
  next: [
    path(
      [['address', 'By the address of the member']],
      [
        keyword('ipv4', 'Access list of members', {
          no: setting('authorizationAcl', () => null),
          next: [
            argument('list', word(), 'Standard access list name or number', {
              run: setting('authorizationAcl', (args) => args.text('list')),
            }),
          ],
        }),
      ],
    ),
    keyword('identity', 'By the IKE identity of the member', {
      no: setting('authorizationIdentity', () => null),
      next: [
        argument('identity', word(), 'Name of a crypto identity list', {
          run: setting('authorizationIdentity', (args) => args.text('identity')),
        }),
      ],
    }),
  ],
});
