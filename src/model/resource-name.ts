import { InvalidValueError } from './invalid.ts';

/** A name that Calico and Kubernetes accept: DNS-1123 subdomain, at most 253 characters. Throws InvalidValueError. */
export function parseResourceName(text: string, field = 'metadata.name'): string {
  if (text.length > 253 || !/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/.test(text)) {
    throw new InvalidValueError(field, text, 'is not a lower-case DNS name (letters, digits, "-" and ".")');
  }
  return text;
}
