import type { fields as Original } from '../en/fields';
import { commonFields } from './fields-common';
import { flowFields } from './fields-flow';
import { groupFields } from './fields-groups';
import { imageFields } from './fields-images';
import { trafficFields } from './fields-traffic';

export const fields: typeof Original = {
  fields: {
    ...commonFields,
    ...flowFields,
    ...groupFields,
    ...imageFields,
    ...trafficFields,
  },
};
