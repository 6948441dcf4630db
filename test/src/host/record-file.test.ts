import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EMPTY_RECORD } from '../../../felix/index.ts';
import type { HostRecord } from '../../../felix/index.ts';
import { HostRecordFile, recordPath } from '../../../src/host/record-file.ts';
import { parseInterfaceAddress } from '../../../src/model/ip.ts';

let directory: string;
let path: string;
let problems: string[];
const open = (): HostRecordFile => new HostRecordFile(path, (problem) => problems.push(problem));

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'record-'));
  path = recordPath(join(directory, 'calico', 'nodename'));
  problems = [];
});
afterEach(() => rmSync(directory, { recursive: true }));

const record: HostRecord = {
  sysctls: new Map([
    ['net/ipv4/ip_forward', { before: '0', ours: '1' }],
    ['net/ipv4/conf/eth0/forwarding', { before: '0', ours: '1', along: 'net/ipv4/ip_forward' }],
  ]),
  links: new Map([
    ['tunl0', { up: true, mtu: 1400, addresses: [parseInterfaceAddress('10.1.2.3/32')] }],
    ['vxlan.calico', undefined],
  ]),
};

test('what was saved is loaded, by another process of the same boot and namespace', () => {
  open().save(record);
  expect(open().load()).toEqual(record);
  expect(problems).toEqual([]);
});

test.each(['boot', 'netns'])('of another %s it tells nothing', (field) => {
  open().save(record);
  const stored = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  writeFileSync(path, JSON.stringify({ ...stored, [field]: 'another' }));
  expect(open().load()).toEqual(EMPTY_RECORD);
  expect(problems).toEqual([]);
});

test('none is empty, and so is one that cannot be understood, which is told', () => {
  expect(open().load()).toEqual(EMPTY_RECORD);
  open().save(record);
  writeFileSync(path, readFileSync(path, 'utf8').slice(0, 40));
  expect(open().load()).toEqual(EMPTY_RECORD);
  expect(problems).toEqual([expect.stringContaining(`${path} is no record of what this host was`)]);
});
