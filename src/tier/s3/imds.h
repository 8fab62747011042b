/* The metadata of an EC2 instance, version 2: a token first, which machines that forward requests do not get. */
#ifndef TARN_TIER_S3_IMDS_H
#define TARN_TIER_S3_IMDS_H

#include "base/buf.h"
#include "tier/tier_ops.h"

/*
 * The credentials of the instance's role, as the JSON that is there. -ENOENT: no such service here, or no role;
 * -ECANCELED, -ETIMEDOUT; -EIO.
 */
int imds_role(struct tier_try *t, struct buf *json);

#endif
