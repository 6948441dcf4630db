/** bfd.LocalDiag, RFC 5880 §4.1: why the session last changed its state. */
export const DIAGNOSTIC = {
  none: 0,
  detectionTimeExpired: 1,
  neighborSignaledDown: 3,
  administrativelyDown: 7,
} as const;

const WORDS = new Map<number, string>([
  [0, 'No Diagnostic'],
  [1, 'Control Detection Time Expired'],
  [2, 'Echo Function Failed'],
  [3, 'Neighbor Signaled Session Down'],
  [4, 'Forwarding Plane Reset'],
  [5, 'Path Down'],
  [6, 'Concatenated Path Down'],
  [7, 'Administratively Down'],
  [8, 'Reverse Concatenated Path Down'],
]);

/** The RFC's name; `diagnostic 12` for a number without one. */
export const diagnosticWords = (diagnostic: number): string => WORDS.get(diagnostic) ?? `diagnostic ${diagnostic}`;
