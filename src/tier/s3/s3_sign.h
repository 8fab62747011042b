/*
 * AWS Signature V4 by hand, for what libcurl gets wrong: before 8.10 it sorts header lines as a whole, so that
 * "x-amz-copy-source-range:" comes before "x-amz-copy-source:" and the server refuses the signature. All other requests
 * are signed by libcurl. https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 */
#ifndef TARN_TIER_S3_S3_SIGN_H
#define TARN_TIER_S3_S3_SIGN_H

#include <curl/curl.h>
#include <stdbool.h>

#include "base/buf.h"
#include "tier/s3/credentials.h"

/* Would this libcurl sign a request with these HEADERS wrongly? */
bool sign_is_needed(const struct curl_slist *headers);

struct sign_request {
	const char *method, *url, *region;
	const char *sha256; /* of the body, hex */
	const struct curl_slist *headers;
	int64_t now; /* wall clock, ns */
};
/* Appends the two headers that sign it, "x-amz-date: …" and "Authorization: …". 0, -ENOMEM, -EIO. */
int sign_by_hand(const struct sign_request *r, const struct secret *s, struct buf *date, struct buf *authorization);

#endif
