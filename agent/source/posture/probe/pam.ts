// SPDX-License-Identifier: Apache-2.0
/**
 * A module in a PAM stack, and an argument of it, which may also stand in the module's own configuration.
 * Input: services, a module, perhaps an argument and what is asked of it. Output: pass where every stack that is there has it.
 */

import type { ProbeParams } from '../../../../core/probe.ts';
import { type Answer, all, answer, fail, type Probe, pass } from '../answer.ts';
import { dropinsOf, filesOf, linesOf, placeOf } from '../lines.ts';
import { type PamLine, pamStack } from '../pamstack.ts';
import type { Tree } from '../tree.ts';
import { holds, shown } from '../value.ts';

type Params = ProbeParams<'pam'>;

export const pam: Probe<'pam'> = (params, tree) => {
  const stacks = params.service.flatMap((service) => {
    const lines = pamStack(tree, service);
    return lines ? [{ service, lines }] : [];
  });
  if (stacks.length === 0) return answer(params.absent === true, `there is no stack ${params.service.join(' or ')}`);
  return all(stacks.map(({ service, lines }) => ask(params, tree, service, lines)));
};

const ask = (params: Params, tree: Tree, service: string, lines: readonly PamLine[]): Answer => {
  const own = lines.filter(
    ({ type, module, control }) =>
      type === params.type &&
      nameOf(module) === params.module &&
      (params.control === undefined || params.control.some((one) => sameControl(one, control))),
  );
  const first = own[0];
  if (params.argument === undefined) {
    if (params.absent === true)
      return first
        ? fail(`${params.module} stands in ${placeOf(first.line)}`, [first.line.file])
        : pass(`no ${params.module} in ${service}`);
    return first ? pass(`${params.module} stands in ${placeOf(first.line)}`) : fail(`no ${params.type} ${params.module} in ${service}`);
  }
  if (!first) return answer(params.absent === true, `no ${params.type} ${params.module} in ${service}`);
  const wanted = params.argument;
  const others = lines.filter(({ type, module }) => params.also?.includes(type) === true && nameOf(module) === params.module);
  const places = [...own, ...others].flatMap(({ args, line }) =>
    args.flatMap((one) =>
      one === wanted || one.startsWith(`${wanted}=`)
        ? [{ value: one === wanted ? 'yes' : one.slice(wanted.length + 1), place: placeOf(line), file: line.file }]
        : [],
    ),
  );
  // What the stack says goes before the module's own file.
  const found = places.length > 0 ? places : inConfig(params, tree, wanted);
  if (params.absent === true)
    return found[0] ? fail(`${wanted} is set (${found[0].place})`, [found[0].file]) : pass(`${params.module} has no ${wanted}`);
  const wrong = found.find(({ value }) => !holds(value, params));
  const told = wrong ?? found.at(-1);
  if (told) return answer(wrong === undefined, `${shown(wanted, told.value)} (${told.place})`, wrong ? [wrong.file] : []);
  return answer(holds(undefined, params), `${shown(wanted, undefined, params.default)} for ${params.module} in ${service}`);
};

const inConfig = (
  params: Params,
  tree: Tree,
  wanted: string,
): readonly { readonly value: string; readonly place: string; readonly file: string }[] => {
  const files = params.config?.some((one) => one.includes('*')) ? dropinsOf(tree, params.config) : filesOf(tree, params.config ?? []);
  return files.flatMap((file) =>
    linesOf(tree.read(file) ?? '', file).flatMap((line) => {
      const match = /^\s*([\w-]+)\s*(?:=\s*(.*?))?\s*$/.exec(line.text);
      return match?.[1] === wanted ? [{ value: match[2] ?? 'yes', place: placeOf(line), file }] : [];
    }),
  );
};

const nameOf = (module: string): string => module.slice(module.lastIndexOf('/') + 1);

const sameControl = (wanted: string, written: string): boolean => wanted.toLowerCase() === written.toLowerCase().replace(/\s+/g, ' ');
