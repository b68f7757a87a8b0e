import { leaseStores } from './lease-stores.ts'
import { describeRace } from './race-suite.ts'
import { describeLease } from './store-lease-suite.ts'

for (const store of leaseStores()) {
  describeLease(store)
  describeRace(store)
}
