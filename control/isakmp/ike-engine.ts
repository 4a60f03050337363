export type { IkeUser } from './ike-user.js';
