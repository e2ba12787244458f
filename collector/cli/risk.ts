// SPDX-License-Identifier: Apache-2.0
/**
 * `vigil risk simulate`: a scenario from a file through the Monte Carlo of the risk register. No collector runs.
 * Input: JSON, one scenario, or one a line. Output: one result a line.
 */
import { randomInt } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { systemCode } from '../../core/errors.ts';
import { fault } from '../errors.ts';
import { readSimulation, simulate } from '../isms/simulate.ts';
import { jsonLine, type Terminal } from './terminal.ts';

const MOST_BYTES = 1_048_576;

/** @throws CodedError SIMULATION_BAD, FILE_UNREADABLE. */
export const simulateRisk = async (file: string, terminal: Terminal): Promise<void> => {
  for (const value of scenariosOf(await textOf(file, terminal), file)) {
    const scenario = readSimulation(value, () => randomInt(2 ** 32));
    const begin = performance.now();
    const result = simulate(scenario);
    terminal.out(jsonLine({ ...result, seconds: Math.round(performance.now() - begin) / 1000 }));
  }
};

const textOf = async (file: string, terminal: Terminal): Promise<string> => {
  const pieces: Buffer[] = [];
  let size = 0;
  try {
    for await (const piece of file === '-' ? terminal.stdin : createReadStream(file)) {
      size += piece.length;
      if (size > MOST_BYTES) throw fault('SIMULATION_BAD', { what: file, reason: `it is over ${MOST_BYTES} bytes` });
      pieces.push(Buffer.from(piece as Buffer));
    }
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    throw fault('FILE_UNREADABLE', { file, reason: code }, error);
  }
  return Buffer.concat(pieces).toString('utf8');
};

/** One object over any lines, or one a line. */
const scenariosOf = (text: string, file: string): readonly unknown[] => {
  const lines = text.split('\\n').filter((line) => line.trim() !== '');
  const read = (json: string): unknown => {
    try {
      return JSON.parse(json);
    } catch (error) {
      throw fault('SIMULATION_BAD', { what: file, reason: 'it is no JSON' }, error);
    }
  };
  const isMany = lines.length > 1 && lines.every((line) => line.startsWith('{') && line.trimEnd().endsWith('}'));
  return isMany ? lines.map(read) : [read(text)];
};
