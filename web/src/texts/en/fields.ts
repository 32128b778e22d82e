import { commonFields } from './fields-common';
import { flowFields } from './fields-flow';
import { groupFields } from './fields-groups';
import { imageFields } from './fields-images';
import { trafficFields } from './fields-traffic';

/** What the fields of stages are called and mean, by their keys. */
export const fields = {
  fields: {
    ...commonFields,
    ...flowFields,
    ...groupFields,
    ...imageFields,
    ...trafficFields,
  },
};
