// Kubeflow's dashboard, who may use which namespace, and what makes a namespace of a Profile.

import type { Program } from '../types.ts';
import { accessManagement } from './access-management.ts';
import { centralDashboard } from './dashboard.ts';
import { profileController } from './profile-controller.ts';

export const dashboard: readonly Program[] = [centralDashboard, accessManagement, profileController];
