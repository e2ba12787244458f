// SPDX-License-Identifier: Apache-2.0
/**
 * Others' text made harmless: in HTML as characters, in plain text without what a terminal or a mail client would obey.
 * Input: any string. Output: the same words, shown and never run. Pure.
 */

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Controls, and marks that turn the direction of text, would let a name change how its neighbours read. */
const UNSEEN = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;

export const visible = (text: string): string => text.replace(UNSEEN, '\ufffd').toWellFormed();

/** Text for element content and for quoted attributes. */
export const escaped = (text: string): string => visible(text).replace(/[&<>"']/g, (character) => ENTITIES[character] as string);
