-- Images by id; a recipe's image is the newest one made by it.
create table image (
    id text primary key,
    recipe text not null,
    name text not null,
    made bigint not null,
    document text not null
);
create index image_by_recipe on image (recipe, made);
create index image_by_name on image (name);
