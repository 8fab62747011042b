/*
 * The XML that S3 answers with, read by expat: it only calls back, opens no file and no connection, and stops at
 * documents that grow while their entities are expanded. (libxml2 does much more, and each of its features was a hole
 * for somebody.)
 */
#ifndef TARN_TIER_S3_XML_H
#define TARN_TIER_S3_XML_H

#include <stddef.h>

/*
 * PATH: the names of the elements from the outermost in, "ListBucketResult/Contents/Key", without name spaces. LEAF:
 * one that ends, with its text; END: one that ends and has others in it. Other than 0 ends the parsing with that value.
 */
struct xml_handler {
	int (*leaf)(void *arg, const char *path, const char *text);
	int (*end)(void *arg, const char *path); /* may be NULL */
};
/* 0; -EIO: not well formed, deeper or longer than anything that S3 says; -ENOMEM. */
int xml_parse(const char *bytes, size_t len, const struct xml_handler *h, void *arg);

/* The text of the element PATH in BYTES, into TEXT of SIZE; "" when there is none. The same errors. */
int xml_text(const char *bytes, size_t len, const char *path, char *text, size_t size);

#endif
