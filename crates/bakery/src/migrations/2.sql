-- When an image was last seen in use.
create table image_use (id text primary key, at bigint not null);
