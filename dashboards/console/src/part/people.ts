// SPDX-License-Identifier: Apache-2.0
/**
 * Names of people by id, read once.
 * Input: nothing. Output: the list, and a name for each id, the id itself where nobody has it.
 */
import { useQuery } from '@tanstack/react-query';
import { type Person, people } from '../api/triage.ts';

export const usePeople = (): { readonly list: readonly Person[]; readonly nameOf: (id: string) => string } => {
  const found = useQuery({ queryKey: ['people'], queryFn: people, staleTime: 300_000 });
  const list = found.data?.items ?? [];
  return {
    list: list.filter(({ disabled }) => !disabled),
    nameOf: (id) => (id === 'local-owner' ? 'the local owner' : (list.find((one) => one.id === id)?.name ?? id)),
  };
};
