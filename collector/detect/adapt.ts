// SPDX-License-Identifier: Apache-2.0
/**
 * Events from elsewhere as flat maps: nested objects by dotted names, the Windows event layout by the names Sigma uses.
 * Input: one parsed JSON event. Output: a flat event, bounded in depth and keys; the same object where it is flat already.
 */
import type { FlatEvent } from './fields.ts';

const MAX_DEPTH = 32;
const MAX_KEYS = 10_000;

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Flat already: no object, and no list that holds one. */
const isFlat = (event: Json): boolean => {
  for (const key in event) {
    const value = event[key];
    if (typeof value === 'object' && value !== null && (!Array.isArray(value) || value.some((v) => typeof v === 'object' && v !== null)))
      return false;
  }
  return true;
};

/** Makes an event flat. Anything but an object gives null. */
export const flatten = (json: unknown): FlatEvent | null => {
  if (!isObject(json)) return null;
  if (isFlat(json)) return json;
  const out: Json = Object.create(null);
  const budget = { keys: MAX_KEYS };
  const windows = windowsRoot(json);
  if (windows) {
    putSystem(out, isObject(windows['System']) ? windows['System'] : {}, budget);
    for (const part of ['EventData', 'UserData'] as const) if (windows[part] !== undefined) putData(out, windows[part], budget, 0);
    return out;
  }
  for (const key in json) put(out, key, json[key], budget, 0);
  for (const key of Object.keys(out)) {
    // Event data of Winlogbeat, and what our own events keep outside the field table, are fields of the event.
    if (key.startsWith('vigil.extra.')) out[key.slice(12)] ??= out[key];
    else if (key.startsWith('winlog.event_data.')) out[key.slice(18)] ??= out[key];
    else if (key.startsWith('winlog.user_data.')) out[key.slice(17)] ??= out[key];
  }
  return out;
};

const windowsRoot = (json: Json): Json | null => {
  const event = json['Event'];
  return isObject(event) && (isObject(event['System']) || event['EventData'] !== undefined) ? event : null;
};

// One name more than once becomes a list, of which one member is enough.
const add = (out: Json, key: string, value: unknown, budget: { keys: number }): void => {
  if (budget.keys-- <= 0) return;
  if (!Object.hasOwn(out, key) || out[key] === null) out[key] = value;
  else out[key] = [out[key], value].flat();
};

const put = (out: Json, key: string, value: unknown, budget: { keys: number }, depth: number): void => {
  if (depth > MAX_DEPTH || budget.keys <= 0) return;
  if (isObject(value)) for (const name in value) put(out, `${key}.${name}`, value[name], budget, depth + 1);
  else if (Array.isArray(value) && value.some((v) => typeof v === 'object' && v !== null)) {
    for (const member of value) put(out, key, member, budget, depth + 1);
  } else add(out, key, value, budget);
};

/** `System`: attributes as `Provider_Name`, texts under their own name. */
const putSystem = (out: Json, system: Json, budget: { keys: number }): void => {
  for (const name in system) {
    const value = system[name];
    if (!isObject(value)) {
      add(out, name, value, budget);
      continue;
    }
    const attributes = value['#attributes'] ?? value['@attributes'];
    if (isObject(attributes)) for (const attribute in attributes) add(out, `${name}_${attribute}`, attributes[attribute], budget);
    if (value['#text'] !== undefined) add(out, name, value['#text'], budget);
  }
};

/** `EventData` and `UserData`: names of fields at whatever depth; `Data` lists with a Name attribute too. */
const putData = (out: Json, data: unknown, budget: { keys: number }, depth: number): void => {
  if (depth > MAX_DEPTH || !isObject(data)) return;
  for (const name in data) {
    const value = data[name];
    if (name === '#attributes' || name === '@attributes') continue;
    if (name === 'Data') putNamed(out, value, budget);
    else if (isObject(value) && value['#text'] !== undefined) add(out, name, value['#text'], budget);
    else if (isObject(value)) putData(out, value, budget, depth + 1);
    else if (Array.isArray(value))
      for (const member of value) isObject(member) ? putData(out, member, budget, depth + 1) : add(out, name, member, budget);
    else add(out, name, value, budget);
  }
};

const putNamed = (out: Json, value: unknown, budget: { keys: number }): void => {
  for (const member of Array.isArray(value) ? value : [value]) {
    const attributes = isObject(member) ? (member['#attributes'] ?? member['@attributes']) : undefined;
    const name = isObject(attributes) ? attributes['Name'] : undefined;
    if (isObject(member) && typeof name === 'string') add(out, name, member['#text'] ?? null, budget);
    else if (isObject(member) && member['#text'] !== undefined) add(out, 'Data', member['#text'], budget);
    else if (isObject(member)) putData(out, member, budget, 1);
    else add(out, 'Data', member, budget);
  }
};
