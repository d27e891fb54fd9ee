import { descriptorRule } from './descriptors.js';
import type { DiagnosisRule } from './found.js';
import { portRule } from './ports.js';

/** The topics of `diagnose`, in the order in which findings of one severity are told. */
export const DIAGNOSIS_RULES: readonly DiagnosisRule[] = [descriptorRule, portRule];
