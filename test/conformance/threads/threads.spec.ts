import { describeListing } from './list-suite';
import { STORES } from './stores';
import { describeWriting } from './write-suite';

STORES.forEach((store) => {
  describeWriting(store);
  describeListing(store);
});
