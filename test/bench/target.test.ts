import { expect, test } from 'vitest';
import { atLeast, atMost } from '../../bench/target.js';

test.each([
  [atMost(1.2, 1.31), '1.2 +'],
  [atMost(1.2, 1.33), '1.2 -'],
  [atMost(1.2, -0.5), '1.2 -'],
  [atLeast(1, 0.91), '1 +'],
  [atLeast(1, 0.89), '1 -'],
])('a target is met within a tenth: %s', (text, expected) => {
  expect(text).toBe(expected);
});
