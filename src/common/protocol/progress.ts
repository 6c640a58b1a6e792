// What the page and the server say about progress over HTTP. Knows no session.

import type { Points } from './session.ts';

/** One line a lab that was ever begun. */
export interface LabProgress {
  lab: string;
  /** How often it was begun. */
  attempts: number;
  /** Steps passed in the attempt that is open or was the last. */
  passed: string[];
  /** ISO times. */
  completedAt?: string;
  lastAt: string;
  /** The best result so far. */
  best?: Points;
}

/** `GET /api/progress`; `POST /api/progress/forget` and `/import` answer with it too. */
export interface ProgressOverview {
  labs: LabProgress[];
  /** Why progress cannot be kept, or what happened to what was kept. */
  problem?: Record<'zh-TW' | 'en', string>;
}

/** `POST /api/progress/forget`: one lab, or everything. */
export interface ForgetRequest {
  lab?: string;
}
