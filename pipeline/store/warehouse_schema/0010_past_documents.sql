-- Documents whose row retention deleted: a feed that shows one of them still brings no news.
CREATE TABLE raw.past_documents (
    document_id UUID              -- as it was in raw.documents
);
