/* pages: memory that a process holds but does not need while it waits.
 *
 * The pages of program and libraries that come from files are shared and clean: given back, they cost
 * nothing and come back by themselves when touched. A process that waits for months should not be
 * counted with what only its start, or its last piece of work, has read.
 */
#ifndef BASE_PAGES_H
#define BASE_PAGES_H

/* What only the dynamic loader reads: symbols, hash tables, relocations. */
void pages_drop_link_tables(void);
/* All clean pages of program and libraries, and the free pages of the heap. For one who goes to sleep: what
 * is used next is read again, about half a millisecond all together. */
void pages_drop_all(void);

#endif
