// SPDX-License-Identifier: Apache-2.0
/**
 * Packages: that one of some is installed, or that none is.
 * Input: names. Output: by the package manager's own files; unknown where there are none.
 */
import { answer, type Probe, some, unknown } from '../answer.ts';
import { installedPackages } from '../packages.ts';

export const packageProbe: Probe<'package'> = (params, tree) => {
  const packages = installedPackages(tree);
  if (!packages) return unknown('this host keeps no list of packages that can be read');
  const there = params.name.filter((name) => packages.has(name));
  const told = there.length > 0 ? `${some(there)} is installed` : `${some(params.name)} is not installed`;
  return answer(
    params.state === 'installed' ? there.length > 0 : there.length === 0,
    told,
    params.state === 'absent' ? there : params.name.slice(0, 1),
  );
};
